"""The command line: one file a verb.

A verb's file translates its options into library calls and the answer into text, JSON and files; what a
program could want to call itself belongs in the library below. Modules that need torch are imported inside
the functions that use them, so that ``landfall --help`` answers at once.
"""
