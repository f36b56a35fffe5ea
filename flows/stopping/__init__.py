"""How a run is asked to stop before its end: by a signal, by a cancellation, by a pause."""
