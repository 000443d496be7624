"""Brian2 code of what happens to the device of a synapse; an effect has code only where it is on.

The functions are those of `device`, the variables those of `memristive`.
"""

import dataclasses

from devices import Memristor


@dataclasses.dataclass(frozen=True)
class DeviceCode:
    """Code for one kind of device.

    Parameters
    ----------
    device : Memristor
        A resolved device.

    counts_writes : bool
        Whether writes are counted: ``n_set`` and ``n_reset``.
    """

    device: Memristor
    counts_writes: bool

    @property
    def drifts(self) -> bool:
        """Whether the time of the last write matters: ``last_write``, a time step."""
        return bool(self.device.drift_nu or self.device.sigma_drift_nu)

    @property
    def wears(self) -> bool:
        """Whether the number of writes matters to the device."""
        return self.device.endurance != float("inf")

    @property
    def _noisy(self) -> bool:
        return bool(self.device.sigma_c2c or self.device.c2c_polynomial)

    @property
    def _takes_what_is_wanted(self) -> bool:
        """Whether each event takes the state to the wanted one."""
        noisy = self._noisy and self.device.c2c_event == "write"
        levels = self.device.n_levels is not None
        return self.device.update.law == "direct" and not (noisy or levels or self.wears)

    @property
    def _n_writes(self) -> str:
        return "n_set + n_reset" if self.wears else "0"

    def program(self, condition: str = "") -> str:
        """Return the code that programs ``permanence`` towards ``wanted``.

        Parameters
        ----------
        condition : str, optional
            Where; by default everywhere.
        """
        if condition:
            code = f"wanted = int({condition})*wanted + int(not {condition})*permanence\n"
        else:
            code = ""
        if self._takes_what_is_wanted:
            programmed = "wanted"
        else:
            programmed = "programmed"
            code += (
                "programmed = device_program(permanence, wanted, permanence_min, "
                f"p_max, device, n_events, {self._n_writes})\n"
            )
        if self.wears:
            code += f"programs = device_programs(permanence, wanted, device, {self._n_writes})\n"
        else:
            code += "programs = int(wanted != permanence)\n"
        if self.counts_writes or self.drifts:
            if self.device.update.law == "direct":
                code += f"writes = int({programmed} != permanence)\n"
            else:
                code += (
                    "writes = device_pulses(permanence, wanted, p_max, device, n_events, "
                    f"{self._n_writes})\n"
                )
        if self.drifts:
            code += "last_write = int(writes > 0)*t_in_timesteps + int(writes == 0)*last_write\n"
        if self.counts_writes:
            code += (
                "n_set += writes*int(wanted > permanence)\n"
                "n_reset += writes*int(wanted < permanence)\n"
            )
        return code + f"permanence = {programmed}\nn_events += programs\n"

    def perturb(self) -> str:
        """Return the code of the noise at a presynaptic spike."""
        if self.device.c2c_event != "pre_spike" or not self._noisy:
            return ""
        perturbs = f"device_perturbs(device, {self._n_writes})" if self.wears else "1"
        return (
            f"perturbs = {perturbs}\n"
            "permanence = device_perturb("
            f"permanence, permanence_min, p_max, device, n_events, {self._n_writes})\n"
            "n_events += perturbs\n"
        )

    def read(self) -> str:
        """Return the code that turns ``conductance``, w(P), into what a spike transmits."""
        code = ""
        if self.device.sigma_write or self.drifts:
            age = "(t_in_timesteps - last_write)*dt/second" if self.drifts else "0.0"
            code += (
                "conductance = device_conductance("
                f"conductance, w_max - w_min, device, n_events, {age})\n"
            )
        if self.device.sigma_read or self.device.sigma_flicker:
            code += "conductance *= device_read_factor(device, n_spikes)\n"
        return code

    @property
    def functions_used(self) -> bool:
        """Whether the code calls functions of `device`."""
        return "device_" in self.program() + self.perturb() + self.read()
