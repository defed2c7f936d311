(component
  (@custom "portcullis-manifest" "{\"manifest\": 1, \"name\": \"a\", \"version\": \"1\", \"api\": \"1.0.0\", \"description\": \"b\", \"hooks\": [\"judge-host\"], \"config\": {\"patternProperties\": {\"^[a-z]+$\": {\"pattern\": \"(a|b)*c{2,5}\"}}, \"propertyNames\": {\"maxLength\": 3}, \"oneOf\": [{\"required\": [\"x\"]}, {\"required\": [\"y\"]}]}}"))
