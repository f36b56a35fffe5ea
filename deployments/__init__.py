"""Files that an installation reads at run time: the deployments, the quickstart, and the versions that passed the tests."""
