(component
  (@custom "portcullis-manifest" "{\"manifest\": 1, \"name\": \"a\", \"version\": \"1\", \"api\": \"1.0.0\", \"description\": \"b\", \"hooks\": [\"judge-host\"]}"))
