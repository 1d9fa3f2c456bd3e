"""Microsoft Graph v1.0, as far as credentials need it: one module per collection of requests.

`endpoint.py` and `batch_endpoint.py` speak HTTP, `pipeline.py` leads each request to its operation;
operations get and return plain values. `server.py` sends everything under `/v1.0/` here.
"""
