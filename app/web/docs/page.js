"use strict";

// Beside this file, wherever a reverse proxy has put both.
const address = new URL("openapi.json", document.currentScript.src);

// Null where the server is away, or whoever reads this has left.
async function load() {
  try {
    const response = await fetch(address);
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}

async function show() {
  const schema = await load();
  if (!schema) {
    document.getElementById("page").textContent = "The server does not answer. Load this page again later.";
    return;
  }
  // Swagger UI is given the schema and not its address, which the servers are relative to.
  for (const server of schema.servers) server.url = new URL(server.url, address).href.replace(/\/$/, "");
  // Or the page would fill each field of a form with a sample, and some exclude each other.
  const named = (said) => (said.$ref ? schema.components.schemas[said.$ref.match(/\w+$/)[0]] : said);
  for (const operation of Object.values(schema.paths).flatMap(Object.values)) {
    for (const body of Object.values(operation.requestBody?.content ?? {})) {
      const { properties = {}, required = [] } = named(body.schema);
      for (const [name, field] of Object.entries(properties)) {
        if (!required.includes(name)) field.example = "";
      }
    }
  }
  SwaggerUIBundle({
    spec: schema,
    dom_id: "#page",
    deepLinking: true,
    defaultModelsExpandDepth: 0,
    // Its checker of schemas is on another host.
    validatorUrl: null,
    // Nobody's key stays in the browser.
    persistAuthorization: false,
  });
}

show();
