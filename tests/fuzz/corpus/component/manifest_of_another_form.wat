(component
  (@custom "portcullis-manifest" "{\"manifest\": 2}"))
