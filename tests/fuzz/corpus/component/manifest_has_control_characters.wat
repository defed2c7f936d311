(module
  (@custom "portcullis-manifest" "{\"manifest\": 1, \"name\": \"a\\u001b[2Jb\", \"description\": \"\\n\\r\"}"))
