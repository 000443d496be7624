"""Populations: PyNN's for NEST with our recorder."""

import pyNN.nest

from .recording import Recorder


class Population(pyNN.nest.Population):
    __doc__ = pyNN.nest.Population.__doc__
    _recorder_class = Recorder
