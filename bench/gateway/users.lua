-- Requests of 1,000 users, each with a steady cookie and the headers a browser commonly sends.
local requests = {}
local next = 0

function init(_)
  for user = 1, 1000 do
    wrk.headers["Cookie"] = string.format("theme=dark; uid=user-%06d-%04x; cart=7", user, user * 7919 % 65536)
    wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
    wrk.headers["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
    wrk.headers["Accept-Language"] = "en-GB,en;q=0.5"
    wrk.headers["Accept-Encoding"] = "gzip, deflate"
    requests[user] = wrk.format("GET")
  end
end

function request()
  next = next % 1000 + 1
  return requests[next]
end

function done(summary, latency, _)
  local errors = summary.errors
  io.write(string.format(
    '{"requests":%d,"perSecond":%.1f,"p50Ms":%.4f,"p99Ms":%.4f,"errors":%d}\n',
    summary.requests, summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
