import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inWordsOf, sideOf, sideOfProgram } from './side.ts';

describe('which side a command line means', () => {
  it('is the cluster when the program is a plugin of kubectl, or HALDANE_KUBE says so', () => {
    for (const path of [
      '/usr/bin/kubectl-haldane',
      'dist/main/kubectl-haldane.js',
      '/usr/bin/kubectl_complete-haldane',
    ]) {
      assert.equal(sideOfProgram(path, {}), 'kubernetes', path);
    }
    assert.equal(sideOfProgram('/usr/bin/haldane', { HALDANE_KUBE: '1' }), 'kubernetes');
    for (const HALDANE_KUBE of [undefined, '', '0']) {
      assert.equal(sideOfProgram('dist/main/haldane.js', { HALDANE_KUBE }), 'agent');
    }
  });

  it('is the cluster when an option names one, before --', () => {
    for (const option of ['-n', '-A', '--namespace=shop', '--all-namespaces', '--context', '--kubeconfig=file']) {
      assert.equal(sideOf(['status', option, 'shop'], 'agent'), 'kubernetes', option);
    }
    assert.equal(sideOf(['adopt', 'shop'], 'agent'), 'kubernetes');
    assert.equal(sideOf(['status', 'shop', '--', '-n'], 'agent'), 'agent');
    assert.equal(sideOf(['operator', '-n', 'shop'], 'agent'), 'agent', 'it has options of that name for itself');
    assert.equal(sideOf(['status', 'shop'], 'agent'), 'agent');
  });
});

describe('texts that name commands', () => {
  it('are typed as they stand on either side', () => {
    const text = 'haldane retry shop tries it again; haldane apply -f haldane.yaml; haldane withdraw shop';
    assert.equal(inWordsOf('agent', text), text);
    assert.equal(
      inWordsOf('kubernetes', text),
      'kubectl haldane retry shop tries it again; kubectl apply -f policy.yaml; kubectl delete releasepolicy shop',
    );
    assert.equal(
      inWordsOf('kubernetes', 'haldane release shop --version v2'),
      'kubectl set image deployment/shop "*=shop:v2"',
    );
  });

  it('are changed once, and nothing else in them is', () => {
    for (const same of [
      'kubectl haldane status shop',
      'the operator of haldane decides',
      'image registry/haldane:v1, ~/.local/state/haldane status',
      'kubectl -n haldane-system get pods',
      'is the operator running? (kubectl\n          haldane doctor)',
    ]) {
      assert.equal(inWordsOf('kubernetes', same), same);
    }
    const once = inWordsOf('kubernetes', 'haldane status shop');
    assert.equal(inWordsOf('kubernetes', once), once);
  });
});
