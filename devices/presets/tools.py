"""How the sources name the tools whose parameter tables numbers were taken from."""

NEUROSIM = (
    "Table II of the manual of MLP+NeuroSim V3.0 (Chen, Peng and Yu 2018, IEEE Trans. CAD 37(12), "
    "3067-3080)"
)


def aihwkit(name: str) -> str:
    """Name a device or noise model of aihwkit."""
    return f"{name} of aihwkit (Rasch et al. 2021, doi:10.1109/AICAS51828.2021.9458494)"


def crosssim(name: str) -> str:
    """Name a device model of CrossSim."""
    return f"{name} of CrossSim 3.2 (Sandia National Laboratories)"
