// The two things a gateway does with cookies: read one by name (RFC 6265 section 5.4), and set the one that keeps a user
// at a version. It refuses to touch any other cookie.

/** The value of the first cookie of that name in a Cookie field; undefined when there is none. */
export function cookieValue(cookies: string, name: string): string | undefined {
  let from = 0;
  for (;;) {
    const at = cookies.indexOf(name, from);
    if (at < 0) return undefined;
    const after = at + name.length;
    if (cookies.charCodeAt(after) === 61 && startsPair(cookies, at)) {
      const end = cookies.indexOf(';', after);
      return unquoted(cookies.slice(after + 1, end < 0 ? cookies.length : end).trim());
    }
    from = after;
  }
}

function startsPair(cookies: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && cookies.charCodeAt(before) === 32) before -= 1;
  return before < 0 || cookies.charCodeAt(before) === 59;
}

function unquoted(value: string): string {
  return value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
}

export function affinityCookieLine(name: string, revision: string, ttlSeconds: number): string {
  return `set-cookie: ${name}=${revision}; Max-Age=${ttlSeconds}; Path=/; HttpOnly; SameSite=Lax\r\n`;
}
