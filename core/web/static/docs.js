// Draws the API's document. Everything comes from this origin; nothing is validated by anybody else.
"use strict";

const place = document.getElementById("docs");
SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  deepLinking: true,
  validatorUrl: null,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  layout: "BaseLayout",
});
