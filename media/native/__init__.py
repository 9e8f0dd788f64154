"""The packet path in C: built where a compiler is, loaded by ctypes."""
