"""The sequences to learn and when their elements are shown."""

import string
from dataclasses import dataclass

from models.sequence_learning.checks import check, check_count, check_not_negative, check_positive

# Sets I-III: Bouhadjar et al. (2022), doi:10.1371/journal.pcbi.1010233. Set "12": twelve symbols,
# four overlapping sequences, the size used with ReRAM synapses by Bouhadjar et al. (2023),
# doi:10.1088/2634-4386/acf1c4; the choice of letters is assumed.
SEQUENCE_SETS: dict[str, tuple[str, ...]] = {
    "I": ("ADBE", "FDBC"),
    "II": ("ENDIJ", "LNDIK", "GJMCN", "FJMCI", "BCKHI", "ACKHF"),
    "III": ("ENDIJ", "LNDIK", "GJMEN", "FJMEI", "BCKBI", "ACKBF"),
    "12": ("ADBE", "FDBC", "HLJK", "GLJI"),
}
# Number of symbols, from A on.
_SET_SIZES = {"I": 6, "II": 14, "III": 14, "12": 12}
# The dendritic stimulus of `sparse_first_char` comes this many ms before a first element.
PRIMER_LEAD = 20.0


@dataclass(frozen=True)
class Task:
    """Sequences and the timing of their presentation.

    One episode shows every sequence of the set once, in the order of the set.

    Parameters
    ----------
    sequence_set : str or tuple of str
        A published set, ``"I"``, ``"II"``, ``"III"`` or ``"12"``, or sequences of at least two
        one-letter symbols each, such as ``("ADBE", "FDBC")``.
    alphabet : str, optional
        One letter per subpopulation. None: the letters from A on for a published set (6, 14, 14
        and 12 of them), else the letters that occur, sorted. Bouhadjar et al. (2022) used 14
        subpopulations for set I too.
    episodes : int
        Number of episodes, >= 1.
    delta_t : float
        Interval between the elements of a sequence, ms.
    delta_t_seq : float
        Interval between the last element of a sequence and the first of the next, ms.
    t_start : float
        Onset of the first element, ms.
    t_probe : float
        Delay from the onset of the second-last element to the read-out of the predictions, ms.
    sparse_first_char : bool, optional
        Whether `rho + 1` neurons are made predictive before each first element, so that it too
        is represented sparsely. None: only for set III.

    Raises
    ------
    ValueError
        If a value is out of range, a set is unknown, a sequence occurs twice or has a symbol
        outside the alphabet.
    """

    sequence_set: str | tuple[str, ...] = "I"
    alphabet: str | None = None
    episodes: int = 85
    delta_t: float = 40.0
    delta_t_seq: float = 100.0
    t_start: float = 30.0
    t_probe: float = 8.0
    sparse_first_char: bool | None = None

    def __post_init__(self) -> None:
        """Validate every parameter."""
        self._check_sequences()
        check_count(self, "episodes")
        check_positive(self, "delta_t", "delta_t_seq", "t_start")
        check_not_negative(self, "t_probe")
        check(
            self.delta_t_seq >= self.delta_t,
            self,
            "delta_t_seq",
            self.delta_t_seq,
            f"at least delta_t={self.delta_t}, so that activity after the last element is its own",
        )
        check(
            self.t_probe < self.delta_t,
            self,
            "t_probe",
            self.t_probe,
            f"less than delta_t={self.delta_t}: a prediction is read before the element appears",
        )
        check(
            not self.primes_first or self.t_start > PRIMER_LEAD,
            self,
            "t_start",
            self.t_start,
            f"more than {PRIMER_LEAD} ms with sparse_first_char, whose stimulus comes that earlier",
        )

    def _check_sequences(self) -> None:
        if isinstance(self.sequence_set, str):
            check(
                self.sequence_set in SEQUENCE_SETS,
                self,
                "sequence_set",
                self.sequence_set,
                f"one of {', '.join(SEQUENCE_SETS)} or a tuple of sequences",
            )
        sequences = self.sequences
        check(len(sequences) > 0, self, "sequence_set", sequences, "at least one sequence")
        check(
            len(set(sequences)) == len(sequences),
            self,
            "sequence_set",
            sequences,
            "each sequence only once",
        )
        check(
            len(set(self.symbols)) == len(self.symbols),
            self,
            "alphabet",
            self.symbols,
            "each symbol only once",
        )
        for sequence in sequences:
            check(len(sequence) >= 2, self, "sequence", sequence, "at least two elements")
            unknown = sorted(set(sequence) - set(self.symbols))
            check(
                not unknown,
                self,
                "sequence",
                sequence,
                f"symbols of the alphabet {self.symbols!r} only; add {''.join(unknown)!r} to it",
            )

    @property
    def sequences(self) -> tuple[str, ...]:
        """The sequences of one episode."""
        if isinstance(self.sequence_set, str):
            return SEQUENCE_SETS[self.sequence_set]
        return self.sequence_set

    @property
    def symbols(self) -> str:
        """The alphabet; the position of a symbol is the index of its subpopulation."""
        if self.alphabet is not None:
            return self.alphabet
        if isinstance(self.sequence_set, str):
            return string.ascii_uppercase[: _SET_SIZES[self.sequence_set]]
        return "".join(sorted(set("".join(self.sequence_set))))

    @property
    def episode_duration(self) -> float:
        """Duration of one episode, ms."""
        return sum((len(sequence) - 1) * self.delta_t for sequence in self.sequences) + (
            len(self.sequences) * self.delta_t_seq
        )

    @property
    def primes_first(self) -> bool:
        """Whether first elements are preceded by a dendritic stimulus."""
        if self.sparse_first_char is None:
            return self.sequence_set == "III"
        return self.sparse_first_char
