#!/usr/bin/env bash
# A node of a batch system as a worker: starts the node's vLLM, or finds it, then a worker that runs one shard after the other, and
# ends both in order before the wall time. `slurm.sh` and `pbs.sh` call it, in the folder in which the runs look for their files.
#
#   PREFECT_API_URL      Prefect's server, as the node reaches it; required
#   MCQA_BASE_URL        the address of a model server that runs already; if it is not set, one is started:
#   MCQA_MODEL           its model, for `vllm serve`
#   MCQA_VLLM_ARGS       further arguments, divided by spaces
#   MCQA_START_SECONDS   how long it may take to load (1800)
#   MCQA_SECONDS         when to end, counted from now; 0: never (0)
#   MCQA_POOL            the work pool (mcqa)
#   MCQA_QUEUE           the work queue (shards)
#   MCQA_PYTHON          the interpreter of the environment in which mcqa-flow is installed (.venv/bin/python)
#
# The runs find the server's address as ${MCQA_BASE_URL} in their configuration. Exit code: 0 at the end of the time or after
# SIGTERM, 1 if the model server has failed, 2 if something is not set, else the worker's.
set -uo pipefail

pool=${MCQA_POOL:-mcqa} queue=${MCQA_QUEUE:-shards} python=${MCQA_PYTHON:-.venv/bin/python}
# A run that is stopped saves for at most half a minute; a model server needs some seconds to free its GPUs.
grace_seconds=30
server='' worker='' timer='' scratch=''

fail() {
  printf 'pilot: %s\n' "$2" >&2
  exit "$1"
}

# Ends a process group of ours: politely, and after the grace period in any case.
# shellcheck disable=SC2329 # called by the trap
end_group() {
  kill -TERM -- "-$1" 2>/dev/null || return 0
  for _ in $(seq $((grace_seconds * 10))); do
    kill -0 -- "-$1" 2>/dev/null || return 0
    sleep 0.1
  done
  kill -KILL -- "-$1" 2>/dev/null
}

# The worker first: its run saves, and reports, while the server still answers what is in flight.
# shellcheck disable=SC2329 # the same
end_all() {
  trap '' TERM INT
  if [ -n "$worker" ]; then
    exec 3>&- # its lifeline: without it, it stops its run and ends
    wait "$worker" 2>/dev/null
  fi
  if [ -n "$server" ]; then end_group "$server"; fi
  if [ -n "$timer" ]; then kill "$timer" 2>/dev/null; fi
  if [ -n "$scratch" ]; then rm -rf "$scratch"; fi
}

# Returns 0 if a model server answers, also one that wants a key; a proxy of the environment would look for this node elsewhere.
answers() {
  local status
  status=$(no_proxy="${no_proxy:-${NO_PROXY:-}},127.0.0.1,localhost" curl --silent --output /dev/null --max-time 5 \
    --write-out '%{http_code}' "${MCQA_BASE_URL%/}/models")
  [[ $status =~ ^(2..|401|403)$ ]]
}

start_server() {
  local port arguments
  [ -n "${MCQA_MODEL:-}" ] || fail 2 'set MCQA_BASE_URL, or MCQA_MODEL for a vLLM on this node'
  port=$("$python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])') || exit 2
  read -r -a arguments <<<"${MCQA_VLLM_ARGS:-}"
  setsid vllm serve "$MCQA_MODEL" --host 127.0.0.1 --port "$port" ${arguments[@]+"${arguments[@]}"} &
  server=$!
  export MCQA_BASE_URL=http://127.0.0.1:$port/v1
}

await_server() {
  local deadline=$((SECONDS + ${MCQA_START_SECONDS:-1800}))
  until answers; do
    if [ -n "$server" ] && ! kill -0 "$server" 2>/dev/null; then fail 1 'vLLM has ended before it answered'; fi
    [ "$SECONDS" -lt "$deadline" ] || fail 1 "nothing answers at ${MCQA_BASE_URL%/}/models"
    sleep 1 &
    wait $!
  done
}

start_worker() {
  scratch=$(mktemp -d) || exit 1
  mkfifo "$scratch/lifeline"
  setsid "$python" -P -m flows.serving.worker_process --pool "$pool" --type process --work-queue "$queue" --limit 1 \
    <"$scratch/lifeline" &
  worker=$!
  exec 3>"$scratch/lifeline"
}

[ -n "${PREFECT_API_URL:-}" ] || fail 2 'set PREFECT_API_URL'
[[ ${MCQA_SECONDS:-0} =~ ^[0-9]+$ && ${MCQA_START_SECONDS:-0} =~ ^[0-9]+$ ]] ||
  fail 2 'MCQA_SECONDS and MCQA_START_SECONDS are whole numbers of seconds'
trap 'exit 0' TERM INT
trap end_all EXIT
if [ "${MCQA_SECONDS:-0}" -gt 0 ]; then
  sleep "$MCQA_SECONDS" &
  timer=$!
fi
[ -n "${MCQA_BASE_URL:-}" ] || start_server
await_server
start_worker
# Whichever ends first: the time, the worker or the server.
wait -n ${timer:+"$timer"} "$worker" ${server:+"$server"}
code=$?
if [ -n "$timer" ] && ! kill -0 "$timer" 2>/dev/null; then exit 0; fi
if [ -n "$server" ] && ! kill -0 "$server" 2>/dev/null; then fail 1 'vLLM has ended'; fi
exit "$code"
