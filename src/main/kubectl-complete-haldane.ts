#!/usr/bin/env node
// The program `kubectl_complete-haldane`, which kubectl runs to complete `kubectl haldane`: words so far in, one proposal a
// line out. It refuses nothing: without a cluster it proposes commands and options alone.
process.argv.splice(2, 0, '__complete');
await import('./kubectl-haldane.ts');

export {};
