"""An example of a driver program for skep: instances of a simulated cloud, which it reaches over HTTP."""
