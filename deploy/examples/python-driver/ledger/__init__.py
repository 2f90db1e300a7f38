"""An example of a driver program for skep: machines that are rows of a file."""
