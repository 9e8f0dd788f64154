"""The packet path in C: built from streams.c and path.c where a compiler is, loaded by ctypes."""
