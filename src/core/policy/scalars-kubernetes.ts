/**
 * Leaves that only Kubernetes knows: names of its objects, host names of routes, names of metrics and their selectors.
 * They refuse what the API server or Prometheus would refuse later, where nobody reads along any more.
 */
import * as z from 'zod';
import { describeValue, quoted } from './describe-value.ts';
import { accept, leaf, type Parsed, refuse } from './fields.ts';
import { text, whole } from './scalars.ts';

/** RFC 1123 subdomain: what most objects of Kubernetes are called. */
export const objectName = (what: string) =>
  text({
    what: `${what} of small letters, digits, "-" and "."`,
    pattern: /^[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
    fix: 'use small letters, digits, "-" and ".", at most 253 characters, as in shop-web',
  });

/** RFC 1035 label: what Services are called. */
export const serviceName = () =>
  text({
    what: 'the name of a Service',
    pattern: /^[a-z]([a-z0-9-]*[a-z0-9])?$/,
    fix: 'use small letters, digits and "-", starting with a letter, at most 56 characters, as in shop',
    // "-canary" is put after it.
    longest: 56,
  });

export const port = () => whole(1, 65_535, 'a port');

/** Of a route: a host name, its first label may be "*". */
export const routeHost = () =>
  text({
    what: 'a host name such as shop.example.com',
    pattern: /^(\*\.)?[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/,
    fix: 'write a host name in small letters, as in shop.example.com or *.example.com',
  });

const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

export const metricName = () =>
  text({
    what: 'the name of a Prometheus metric',
    pattern: METRIC,
    fix: 'write a name such as http_requests_total',
  });

/** A histogram is named without the suffixes of its series. */
export const histogramName = () =>
  leaf(z.string(), {
    what: 'the name of a Prometheus histogram in seconds',
    pattern: METRIC,
    json: { minLength: 1, maxLength: 253 },
    parse(value): Parsed<string> {
      const fix = 'write a name such as http_request_duration_seconds';
      if (typeof value !== 'string') return refuse(`${describeValue(value)} is not the name of a histogram`, fix);
      const suffix = /_(?:bucket|sum|count)$/.exec(value)?.[0];
      if (suffix !== undefined) {
        return refuse(`${quoted(value)} is one series of a histogram`, `write ${value.slice(0, -suffix.length)}`);
      }
      if (value.length > 253) return refuse('is longer than 253 characters', fix);
      return METRIC.test(value) ? accept(value) : refuse(`${quoted(value)} is not the name of a histogram`, fix);
    },
  });

export const labelName = () =>
  text({
    what: 'the name of a Prometheus label',
    pattern: /^[a-zA-Z_][a-zA-Z0-9_]*$/,
    fix: 'write a label such as code',
  });

const SELECTOR = /^[a-zA-Z_:][a-zA-Z0-9_:]*\s*(?:\{[^{}[\]()]*\})?$/;
const KNOWN_PARAMETERS = ['$pods', '$namespace', '$service'];

/** A selector of counters: name{label="value", pod=~"$pods"}. No function: increments are taken from raw samples. */
export const selector = () =>
  leaf(z.string(), {
    what: 'a selector such as requests_total{pod=~"$pods"}',
    json: { minLength: 1, maxLength: 2_000 },
    parse(value): Parsed<string> {
      const fix = 'write a selector, as in requests_total{namespace="$namespace", pod=~"$pods"}';
      if (typeof value !== 'string' || value.trim() === '') return refuse('is not a selector', fix);
      if (value.length > 2_000) return refuse('is longer than 2000 characters', fix);
      const bare = value.trim().replaceAll(/"(?:[^"\\]|\\.)*"/g, '""');
      const called = /\b([a-z_]+)\s*\(/.exec(bare)?.[1];
      if (called !== undefined) {
        return refuse(
          `it calls ${called}(), and rates overlap and are extrapolated`,
          'write the counter itself: increments are taken from its raw samples',
        );
      }
      if (/\[.*\]/.test(bare)) return refuse('it has a range, as in [5m]', 'take the range out');
      if (!SELECTOR.test(bare)) return refuse('is not a selector', fix);
      const unknown = (value.match(/\$\w*/g) ?? []).find((each) => !KNOWN_PARAMETERS.includes(each));
      if (unknown !== undefined) return refuse(`there is no ${unknown}`, 'known are $pods, $namespace and $service');
      if (!/\$(?:pods|service)\b/.test(value)) {
        return refuse(
          'it is the same for both versions',
          'tell them apart: add pod=~"$pods", or service="$service" for the counters of a proxy',
        );
      }
      return accept(value.trim());
    },
  });
