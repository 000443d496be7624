"""BrainScaleS-2, a mixed-signal neuromorphic chip, emulated.

512 neuron circuits with 256 synapses each run a thousand times faster than biology. Times are
hardware times in us, potentials are in LSB of the chip's 8-bit converter (CADC, about 4.5 mV).

- `circuits`: what one circuit does, as numbers
- `engine`: integrates circuits and their synapses
- `chip`, `mismatch`: chips whose circuits differ, and from settings to circuits
- `settings`, `transfer`, `physics`: what the chip stores, and what it does in numbers
- `calibration`: settings that make circuits equal
- `placement`, `routing`: which circuits and rows of synapses a network gets
- `correlation`: the synapses' sensors of correlated events and spikes
- `readout`: the analog-to-digital converters
- `limits`: sizes, ranges and rates of the chip
- `pynn`: the vendor's PyNN interface; `native`: the same as a backend of studies
- `vendor`: stand-ins for low-level names that scripts touch
- `mapped`: ordinary PyNN, mapped onto the chip: ``cosim.backend("brainscales2")``
"""
