#!/usr/bin/env bash
# A pilot job for PBS: `qsub -V -J 1-8 deployments/pbs.sh`, in the folder with your configuration, makes eight nodes take shards
# (see "Several machines" in deployments/README.md). What it needs is set before: `export PREFECT_API_URL=… MCQA_MODEL=…`.
#PBS -N mcqa
#PBS -l select=1
#PBS -l walltime=24:00:00
cd "$PBS_O_WORKDIR" || exit 2
# PBS gives a few seconds of warning at best: end five minutes before the wall time above, which must be changed together.
export MCQA_SECONDS=${MCQA_SECONDS:-$((24 * 3600 - 300))}
exec bash deployments/pilot.sh
