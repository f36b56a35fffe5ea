"""What an installation reads at run time: the deployments, the quickstart, and the versions that the tests passed with."""
