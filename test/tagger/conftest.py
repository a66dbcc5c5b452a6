"""One thread, and no proxy of the machine between a test and its own loopback hub."""

import os

os.environ.update(
    OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE", GOMP_SPINCOUNT="0", NO_PROXY="127.0.0.1", no_proxy="127.0.0.1"
)
