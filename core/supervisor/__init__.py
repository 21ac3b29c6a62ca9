"""One process that starts, watches and stops all others of an instance. Standard library only.

It must keep running when anything else is broken, so it imports nothing of Jobstead but itself.
"""
