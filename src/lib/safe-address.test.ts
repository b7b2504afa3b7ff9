import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isSafeAddress } from './safe-address.ts';

test('link-local, metadata, multicast and "this host" are refused, however they are written', () => {
  const refused = [
    '169.254.169.254',
    '169.254.0.1',
    '0.0.0.0',
    '0.1.2.3',
    '100.100.100.200',
    '168.63.129.16',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    'fe80::1',
    'febf::1',
    'ff02::1',
    'fd00:ec2::254',
    '::ffff:169.254.169.254',
    '::ffff:a9fe:a9fe',
    '0:0:0:0:0:ffff:a9fe:a9fe',
    '::169.254.169.254',
    '64:ff9b::169.254.169.254',
    '64:ff9b::a9fe:a9fe',
    '2002:a9fe:a9fe::1',
    '::ffff:0.0.0.0',
    'fe80::1%eth0',
    'localhost',
    '0xa9fea9fe',
    '',
  ];
  assert.deepEqual(
    refused.filter((address) => isSafeAddress(address)),
    [],
  );
});

test('loopback, private and public addresses may be called', () => {
  const allowed = ['127.0.0.1', '127.8.8.8', '::1', '192.0.2.7', '2001:db8::1', '::ffff:127.0.0.1', 'fd12:3456::1'];
  assert.deepEqual(
    allowed.filter((address) => !isSafeAddress(address)),
    [],
  );
});
