"""The layout of our files in the checkpoint directory, beside the checkpoints themselves.

    .mcqa/answers/    the answer log
    .mcqa/locks/      a file for each running evaluation, and for each run
    .mcqa/logs/       the output of the model servers that runs have started
    .mcqa/results/    Prefect's results
    .mcqa/spending/   what runs have spent together, and what an evaluation has spent that is in no result
    .mcqa/vectors/    questions as vectors, by content

Removing `.mcqa` loses what no checkpoint holds.
"""

OWN_FOLDER = ".mcqa"
ANSWERS_FOLDER = "answers"
LOCKS_FOLDER = "locks"
LOGS_FOLDER = "logs"
RESULTS_FOLDER = "results"
SPENDING_FOLDER = "spending"
VECTORS_FOLDER = "vectors"
