"""Experiments that characterise a BrainScaleS-2 chip, in the vendor's PyNN.

Each module is a model: `fixed_pattern` and `psp_versus_weight` repeat two tutorials of
https://github.com/electronicvisions/brainscales2-demos. Times are in ms of hardware time,
potentials in LSB of the membrane's fast converter, the MADC.
"""
