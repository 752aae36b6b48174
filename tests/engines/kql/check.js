// Parses every query of packaging/fleet with Microsoft's own parser and binds it to the table of the deployment template: the
// questions, the workbook's copies of them, the rule's transformation and the commands of Data Explorer.
//
// A query that names a column that is not there, a function that Kusto does not know or a value of a wrong type ends it with 1.
'use strict';
require('@kusto/language-service-next/bridge.min');
require('@kusto/language-service-next/Kusto.Language.Bridge.min');
const fs = require('fs');
const path = require('path');

/* global Kusto, Bridge */
const { KustoCode, GlobalState } = Kusto.Language;
const { TableSymbol, ColumnSymbol, DatabaseSymbol, ScalarTypes } = Kusto.Language.Symbols;

const fleet = path.join(__dirname, '../../../packaging/fleet');
const read = (file) => fs.readFileSync(path.join(fleet, file), 'utf8');
const template = JSON.parse(read('azure/table-and-rule.json'));
const resource = (type) => template.resources.find((it) => it.type === type).properties;

// Names of types in Azure Resource Manager, and what Kusto calls them.
const types = { string: 'String', int: 'Int', boolean: 'Bool', datetime: 'DateTime', dynamic: 'Dynamic' };
function table(name, columns) {
  const symbols = columns.map((column) => {
    const type = ScalarTypes[types[column.type]];
    if (!type) throw new Error(`${name}.${column.name} has the type ${column.type}`);
    return new ColumnSymbol(column.name, type);
  });
  return new TableSymbol.$ctor4(name, symbols);
}

function database(...tables) {
  return GlobalState.Default.WithDatabase(new DatabaseSymbol.$ctor2('fleet', 'fleet', tables));
}

let faults = 0;
let checked = 0;
function check(name, text, globals) {
  checked += 1;
  const code = KustoCode.ParseAndAnalyze(text, globals);
  for (const fault of Bridge.toArray(code.GetDiagnostics())) {
    faults += 1;
    const line = text.slice(0, fault.Start).split('\n').length;
    console.error(`${name}:${line}: ${fault.Severity} ${fault.Code}: ${fault.Message}`);
  }
  return code;
}

const columns = resource('Microsoft.OperationalInsights/workspaces/tables').schema.columns;
const globals = database(table('AmplsFleet_CL', columns));

const files = fs.readdirSync(path.join(fleet, 'kql')).filter((file) => /^[1-5]-.*\.kql$/.test(file)).sort();
for (const file of files) check(file, read(`kql/${file}`), globals);

const workbook = JSON.parse(read('azure/workbook.json'));
const queries = workbook.items.filter((item) => item.type === 3);
for (const item of queries) {
  check(`workbook, ${item.name}`, item.content.query, globals);
  if (item.content.query !== read(`kql/${item.name}.kql`)) {
    faults += 1;
    console.error(`workbook, ${item.name}: is not the query of kql/${item.name}.kql`);
  }
}

const rule = resource('Microsoft.Insights/dataCollectionRules');
const flow = rule.dataFlows[0];
const stream = table('source', rule.streamDeclarations[flow.streams[0]].columns);
const transformed = check('transformKql', flow.transformKql, database(stream)).ResultType;
const shape = (all) => all.map(([name, type]) => `${name}: ${type}`).sort().join(', ');
const given = shape(Bridge.toArray(transformed.Columns).map((column) => [column.Name, column.Type.Name]));
const kusto = { boolean: 'bool' };
const wanted = shape(columns.map((column) => [column.name, kusto[column.type] || column.type]));
if (given !== wanted) {
  faults += 1;
  console.error(`transformKql gives\n  ${given}\nand the table has\n  ${wanted}`);
}

const commands = read('kql/table.kql').split('\n\n');
for (const [place, command] of commands.entries()) check(`table.kql, command ${place + 1}`, command, globals);
const created = /\((.*)\)/.exec(commands[0])[1].split(', ').map((column) => column.split(': '));
if (shape(created) !== wanted) {
  faults += 1;
  console.error(`table.kql creates\n  ${shape(created)}\nand the workspace has\n  ${wanted}`);
}

// The check itself must see what is wrong.
for (const wrong of ['AmplsFleet_CL | where Nowhere == 1', 'AmplsFleet_CL | where Errors startswith "a"', 'AmplsFleet_CL | wehre']) {
  if (Bridge.toArray(KustoCode.ParseAndAnalyze(wrong, globals).GetDiagnostics()).length === 0) {
    faults += 1;
    console.error(`nothing is found wrong in ${wrong}`);
  }
}
if (files.length !== 5 || queries.length !== 5) {
  faults += 1;
  console.error(`${files.length} questions in files and ${queries.length} in the workbook, not 5`);
}
console.log(`${checked} queries checked, ${faults} faults`);
process.exit(faults === 0 ? 0 : 1);
