"""Networks described once in PyNN: parameters, stimulus, read-out and metrics of each."""
