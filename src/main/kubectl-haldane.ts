#!/usr/bin/env node
// The program `kubectl-haldane`, found by kubectl as `kubectl haldane`: haldane with policies in a cluster. Its name is what
// tells the two apart (src/cli/side.ts).
import './haldane.ts';
