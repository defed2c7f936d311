;; Asks for the version of TLS, which filter API 1.1 has; has no opinion on any host.
(module
  (import "portcullis:filter/tls@1.1.0" "version" (func $version (result i32)))
  (memory (export "memory") 1)
  (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 1024))
  (func (export "portcullis:filter/judge-host@1.0.0#judge") (param i32 i32 i32) (result i32)
    (drop (call $version))
    (i32.const 0)))
