# The signatures are those of the WebUI.
from modules import fifo_lock

queue_lock = fifo_lock.FIFOLock()
