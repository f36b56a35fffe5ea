"""llama.cpp's own OpenAI-compatible server.

`python -m tasks.evaluation.local_servers.llamacpp_server WEIGHTS NAME PORT SLOTS`
"""

import os
import signal
import sys
import threading

# A slot's share of the context: a question with its choices and its answer, a page of text.
SLOT_TOKENS = 4096


def main() -> None:
    """Serve until SIGTERM."""
    import xllamacpp  # noqa: PLC0415 - an optional dependency

    weights, name, port, slots = sys.argv[1:5]
    parameters = xllamacpp.CommonParams()
    parameters.model.path = weights
    parameters.model_alias = {name}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = int(port)
    parameters.n_parallel = int(slots)
    parameters.n_ctx = int(slots) * SLOT_TOKENS
    # Spinning threads starve each other if there are more of them than cores, and the run itself needs a core.
    threads = max(1, (os.cpu_count() or 2) // 2)
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = threads
    parameters.cache_ram_mib = 0
    parameters.ui = False
    # The server's own shutdown hangs while a request is in flight.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server = xllamacpp.Server(parameters)
    threading.Event().wait()
    del server


if __name__ == "__main__":
    main()
