// Trailer fields that may be passed on. Those that frame, route, authenticate or control a message are not allowed in a
// trailer (RFC 9110 section 6.5.1) and are dropped. It refuses to merge trailers into the head.

const FORBIDDEN =
  /^(?:transfer-encoding|content-.*|host|trailer|te|connection|keep-alive|proxy.*|upgrade|expect|cache-control|max-forwards|range|authorization|(?:set-)?cookie|www-authenticate|age|date|expires|location|retry-after|vary|warning|if-.*|forwarded|x-forwarded-.*|via|content_length|transfer_encoding)$/i;

/** `trailers`: names and values in turn. */
export function trailerText(trailers: readonly string[]): string {
  let out = '';
  for (let i = 0; i + 1 < trailers.length; i += 2) {
    const name = trailers[i] as string;
    if (!FORBIDDEN.test(name)) out += `${name}: ${(trailers[i + 1] as string).trim()}\r\n`;
  }
  return out;
}
