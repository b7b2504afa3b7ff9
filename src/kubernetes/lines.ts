// Lines out of a stream of bytes, in order, each whole, whatever the chunks. A stream that is silent for too long is
// dead: a half-open connection would otherwise be waited on for ever.

export class StreamSilent extends Error {
  constructor(idleMs: number) {
    super(`nothing came for ${Math.round(idleMs / 1_000)} s`);
    this.name = 'StreamSilent';
  }
}

export async function* readLines(
  stream: AsyncIterable<Uint8Array> & { destroy(error?: Error): unknown },
  options: { readonly idleMs: number; readonly signal: AbortSignal },
): AsyncIterable<string> {
  const decoder = new TextDecoder();
  let rest = '';
  let timer: NodeJS.Timeout | undefined;
  const wind = () => {
    clearTimeout(timer);
    timer = setTimeout(() => stream.destroy(new StreamSilent(options.idleMs)), options.idleMs);
    timer.unref();
  };
  const stop = () => stream.destroy();
  options.signal.addEventListener('abort', stop, { once: true });
  wind();
  try {
    for await (const chunk of stream) {
      wind();
      rest += decoder.decode(chunk, { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) if (line.trim() !== '') yield line;
    }
  } finally {
    clearTimeout(timer);
    options.signal.removeEventListener('abort', stop);
    stream.destroy();
  }
}
