"""HTTP as load balancers use it: requests in, the bytes of responses out."""
