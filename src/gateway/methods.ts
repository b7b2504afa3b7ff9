// The methods llhttp knows, by its numbers; only those of HTTP (it also knows RTSP's).

/** Index = number of llhttp's `llhttp_method_t`. */
export const METHODS: readonly (string | undefined)[] = [
  'DELETE',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'CONNECT',
  'OPTIONS',
  'TRACE',
  'COPY',
  'LOCK',
  'MKCOL',
  'MOVE',
  'PROPFIND',
  'PROPPATCH',
  'SEARCH',
  'UNLOCK',
  'BIND',
  'REBIND',
  'UNBIND',
  'ACL',
  'REPORT',
  'MKACTIVITY',
  'CHECKOUT',
  'MERGE',
  'M-SEARCH',
  'NOTIFY',
  'SUBSCRIBE',
  'UNSUBSCRIBE',
  'PATCH',
  'PURGE',
  'MKCALENDAR',
  'LINK',
  'UNLINK',
];
/** QUERY has a number far from the others, behind those of RTSP. */
const QUERY = 46;
(METHODS as (string | undefined)[])[QUERY] = 'QUERY';

/** Tunnels and echoes are not for a gateway (RFC 9110 sections 9.3.6 and 9.3.8). */
export const REFUSED_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE']);

/** Safe methods change nothing (RFC 9110 section 9.2.1), so one may be sent again if the connection had gone stale. */
export const SAFE_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);
