#!/usr/bin/env bash
# A pilot job for Slurm: `sbatch --array=1-8 deployments/slurm.sh`, in the folder with your configuration, makes eight nodes take
# shards (see "Several machines" in deployments/README.md). What it needs is set before: `export PREFECT_API_URL=… MCQA_MODEL=…`.
#SBATCH --job-name=mcqa
#SBATCH --nodes=1
#SBATCH --time=24:00:00
#SBATCH --signal=B:TERM@300
#SBATCH --open-mode=append
cd "$SLURM_SUBMIT_DIR" || exit 2
# In place of this shell, which gets Slurm's warning five minutes before the end.
exec bash deployments/pilot.sh
