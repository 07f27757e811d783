"""xha-check and clustercheck as real processes on a host of their own, before real databases, xinetd and HAProxy."""
