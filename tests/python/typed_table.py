"""Reads pickles, each before another of its repr, from the file given, and prints those that are something else."""
import pickle, sys

with open(sys.argv[1], "rb") as file:
    while file.peek(1):
        value, expected = pickle.load(file), pickle.load(file)
        # The quotes of bytes are single ones in Python.
        if repr(value) != expected and repr(value) != expected.replace('"', "'"):
            print(ascii(value), ascii(expected))
