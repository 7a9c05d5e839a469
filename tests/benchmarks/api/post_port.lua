-- wrk: creates bridge ports.
wrk.method = "POST"
wrk.body = '{"type":"Bridge"}'
wrk.headers["Content-Type"] = "application/json"
