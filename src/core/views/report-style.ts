// The style sheet of reports: system fonts, both themes, print.
import { colourVariables } from './svg.ts';

export const REPORT_STYLE = [
  colourVariables(':root'),
  ':root{color-scheme:light dark}',
  '*{box-sizing:border-box}',
  'body{margin:0;background:var(--page);color:var(--text);font:15px/1.5 ui-sans-serif,system-ui,sans-serif;font-variant-numeric:tabular-nums}',
  'main{max-width:60rem;margin:0 auto;padding:2rem 1.25rem}',
  'h1{font-size:1.9rem;line-height:1.2;margin:.2rem 0 .6rem}',
  'h2{font-size:1.15rem;margin:2.2rem 0 .6rem;border-bottom:1px solid var(--line);padding-bottom:.3rem}',
  '.where{color:var(--faint);margin:0}',
  '.sentence{font-size:1.15rem;margin:.2rem 0 0}',
  '.pass{color:var(--pass)}.fail{color:var(--fail)}.undecided{color:var(--undecided)}',
  '.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8rem,1fr));gap:.75rem;margin:1rem 0 0}',
  '.tiles div{border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem}',
  'dt{color:var(--faint);font-size:.82rem}dd{margin:0;font-size:1.3rem;font-weight:600}',
  'figure{margin:0}figcaption{color:var(--faint);font-size:.85rem}',
  '.grid{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,22rem),1fr));gap:1.25rem;margin:1rem 0}',
  '.grid figure{border:1px solid var(--line);border-radius:.5rem;padding:.6rem .8rem}',
  '.wide{overflow-x:auto}',
  'table{border-collapse:collapse;width:100%;font-size:.88rem}',
  'th,td{text-align:left;vertical-align:top;padding:.3rem .6rem .3rem 0;border-bottom:1px solid var(--line)}',
  'th{color:var(--faint);font-weight:600}td:first-child{white-space:nowrap}',
  'pre,code{font:13px/1.45 ui-monospace,monospace}pre{overflow-x:auto;border:1px solid var(--line);border-radius:.5rem;padding:.8rem}',
  'details{margin:.6rem 0}summary{cursor:pointer;color:var(--faint)}summary:focus-visible{outline:2px solid var(--stable)}',
  'footer{margin-top:2.5rem;color:var(--faint);font-size:.85rem}',
  '@media print{details{display:none}body{font-size:12px}figure,section{break-inside:avoid}}',
].join('\n');
