"""HTTP as load balancers speak it: requests in, bytes of answers out."""
