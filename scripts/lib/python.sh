# Python for tests and benchmarks only: never part of the running product. One function a virtual environment.
