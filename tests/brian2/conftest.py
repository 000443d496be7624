"""Settings for the tests of the Brian2 backend."""

import brian2

# Compiling takes seconds for each kind of object.
brian2.prefs.codegen.target = "numpy"
