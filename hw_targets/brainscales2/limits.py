"""Sizes, ranges and rates of the HICANN-X chip of BrainScaleS-2.

Each group names the public sources of its numbers; repositories are those of
https://github.com/electronicvisions.
"""

# Circuits and synapses: halco, include/halco/hicann-dls/vx/{neuron,synapse,synapse_driver}.h.
N_CIRCUITS = 512
"""Neuron circuits, two rows of 256 columns."""
N_COLUMNS = 256
"""Columns of circuits, and of synapses in each of the two arrays."""
N_QUADRANTS = 4
"""Quadrants (neuron config blocks) of the chip: circuits 0-127, 128-255, 256-383, 384-511."""
CIRCUITS_PER_QUADRANT = N_CIRCUITS // N_QUADRANTS
N_ROWS = 256
"""Rows of synapses in each array: the inputs of one circuit, excitatory and inhibitory."""
N_SYNAPSES = 2 * N_ROWS * N_COLUMNS
N_SYNAPSE_DRIVERS = 256
"""Drivers, in 2 blocks of 4 PADI buses; each drives two rows."""
ROWS_PER_PADI_BUS = 64

# Digital values: haldls, include/haldls/vx/{synapse,neuron,capmem}.h; grenade for the capacitance.
WEIGHT_MAX = 63
"""Largest weight of a synapse; the sign belongs to the row."""
LABEL_MAX = 63
"""Largest address that a synapse compares with an event's."""
CAPMEM_MAX = 1022
"""Largest value of a cell of the analog parameter storage; 1023 switches its refresh off."""
CAPACITANCE_MAX = 63
CAPACITANCE_PF = 2.2
"""Membrane capacitance at CAPACITANCE_MAX in pF."""
CURRENT_MAX_UA = 1.0
"""Current of a current cell at CAPMEM_MAX in uA (brainscales2-demos, fp_brainscales.rst)."""

# Times: haldls, include/haldls/vx/{timer,pll,neuron}.h.
ACCELERATION = 1000
"""Biological time over hardware time: 1 us on the chip stands for 1 ms."""
EVENT_CLOCK_HZ = 125e6
TIME_GRID_NS = 8
"""Grid of the times of events on the way to and from the chip."""
RUN_TIME_MAX_S = (2**32 - 1) / EVENT_CLOCK_HZ
"""Longest run: the timer has 32 bit."""
REFRACTORY_CLOCK_HZ = 250e6
"""Base of the refractory clocks, which run at it over 2^(scale + 1)."""
CLOCK_SCALE_MAX = 15
REFRACTORY_TIME_MAX = 255
RESET_HOLDOFF_MAX = 15

SPIKE_COUNT_MAX = 255
"""Largest count of spikes: the counters have 8 bit (haldls, SpikeCounterRead)."""

# On-chip background sources: haldls, include/haldls/vx/background.h.
N_BACKGROUND_SOURCES = 8
BACKGROUND_RATE_MAX_HZ = 125e6
"""Largest rate of one source."""

# MADC: haldls, include/haldls/vx/madc.h; channels: pynn-brainscales, doc/hx_neuron.rst.
MADC_MAX = 1023
MADC_CHANNELS = 2
"""Neurons the MADC records at once: one of even, one of odd index."""
MADC_CLOCK_HZ = 500e6
MADC_CYCLES_PER_SAMPLE = 12 + 5
"""Cycles of the MADC's clock per sample with the default sample_duration_adjust of 5."""

# CADC: halco (channels); hxtorch and grenade (sample period, buffer).
CADC_MAX = 255
CADC_PERIOD_US = 1.7
"""Shortest sample period."""
CADC_SAMPLES_MAX = 100
"""Samples of one recording: grenade, num_cadc_samples_in_extmem."""
