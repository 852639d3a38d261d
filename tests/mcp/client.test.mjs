// The protocol's official client over both transports. It checks every structured answer against its tool's schema.

import assert from 'node:assert/strict';
import {createRequire} from 'node:module';
import {join} from 'node:path';
import {test} from 'node:test';
import {pathToFileURL} from 'node:url';

const {DECANT_TEST_PACKAGES: packages, DECANT_TEST_PROGRAM: decant, DECANT_TEST_MCP_URL: url} = process.env;
if (!packages || !decant || !url) throw new Error('run scripts/mcp-conformance');
const require = createRequire(join(packages, 'package.json'));
const load = (name) => import(pathToFileURL(require.resolve(`@modelcontextprotocol/sdk/${name}`)).href.replace('/cjs/', '/esm/'));

const {Client} = await load('client/index.js');
const {StreamableHTTPClientTransport} = await load('client/streamableHttp.js');
const {StdioClientTransport} = await load('client/stdio.js');

const transports = {
  'streamable HTTP': () => new StreamableHTTPClientTransport(new URL(url)),
  stdio: () => new StdioClientTransport({command: decant, args: ['mcp'], env: process.env}),
};

async function connected(transport) {
  const client = new Client({name: 'decant-tests', version: '1'});
  await client.connect(transport);
  return client;
}

for (const [name, open] of Object.entries(transports)) {
  test(`over ${name} the official client finds a product and what is like it`, async () => {
    const client = await connected(open());
    assert.equal(client.getServerVersion().name, 'decant');
    assert.match(client.getInstructions(), /search_products/);
    await client.ping();

    const {tools} = await client.listTools();
    assert.deepEqual(tools.map((tool) => tool.name), ['search_products', 'similar_products', 'get_product', 'catalog_stats']);
    assert.ok(tools.every((tool) => tool.annotations.readOnlyHint && tool.inputSchema && tool.outputSchema));

    const found = await client.callTool({name: 'search_products', arguments: {query: 'notebook liviana para viajar', limit: 3, facets: true}});
    const {results} = found.structuredContent;
    assert.ok(results.length > 0);
    assert.deepEqual(JSON.parse(found.content[0].text), found.structuredContent);

    const product_id = results[0].product_id;
    const product = await client.callTool({name: 'get_product', arguments: {product_id}});
    assert.equal(product.structuredContent.name, results[0].name);
    const similar = await client.callTool({name: 'similar_products', arguments: {product_id, similarity_threshold: 0, limit: 2}});
    assert.equal(similar.structuredContent.similar_products.length, 2);
    const stats = await client.callTool({name: 'catalog_stats', arguments: {}});
    assert.ok(stats.structuredContent.total_products > 0);
    await client.close();
  });

  test(`over ${name} the official client is told what it did wrong`, async () => {
    const client = await connected(open());
    const refused = await client.callTool({name: 'search_products', arguments: {query: 'x', limit: 0}});
    assert.ok(refused.isError);
    assert.match(refused.content[0].text, /limit takes 1 to 100/);
    await assert.rejects(client.callTool({name: 'drop_products', arguments: {}}), {code: -32602});
    await assert.rejects(client.listResources(), /does not support|-32601/);
    await client.close();
  });

  test(`over ${name} many calls at once each get their own answer`, async () => {
    const client = await connected(open());
    const limits = Array.from({length: 20}, (_, i) => 1 + i % 5);
    const answers = await Promise.all(limits.map((limit) =>
      client.callTool({name: 'search_products', arguments: {query: 'monitor', limit, strategy: 'keyword'}})));
    for (const [i, limit] of limits.entries()) assert.ok(answers[i].structuredContent.results.length <= limit, `${i}`);
    assert.ok(answers.some((answer) => answer.structuredContent.results.length === 5));
    await client.close();
  });
}
