(component
  (component (component (core module (import "a" "b" (func)) (func (export "c#d")))))
  (core module (@custom "portcullis-manifest" "{\"manifest\": 1, \"name\": \"a\", \"version\": \"1\", \"api\": \"1.0.0\", \"description\": \"b\", \"hooks\": [\"judge-host\"]}") (import "portcullis:filter/log@1.0.0" "log" (func)) (func (export "portcullis:filter/tick@1.0.0#tick"))))
