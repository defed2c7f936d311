;; Built for contract 1.0.0, with every hook, of rust/ beside this file: a filter in Rust with
;; wit-bindgen and nothing else. Its last section says what it implements.
(module (type (func (param i32 i32 i32) (result i32))) (type (func (param i32 i32) (result i32)))
(type (func (param i32 i32))) (type (func (param i32 i32 i32))) (type (func (param i32 i32 i32 i32
i32))) (type (func (param i32 i32 i32 i32))) (type (func (param i32 i32 i64 i32 i64 i32))) (type
(func (param i32 i32 i64 i32 i32))) (type (func (param i32 i32 f64 i32 i32))) (type (func (result
i64))) (type (func (param i32))) (type (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i64 i32)))
(type (func (param i32 i32 i32 i32 i32 i64 i32))) (type (func (result i32))) (type (func (param
i64))) (type (func)) (type (func (param i32) (result i32))) (type (func (param i32 i32 i32 i64
i64))) (type (func (param i32 i32 f64))) (type (func (param i32 i64))) (type (func (param i32 i32
i32 i32) (result i32))) (type (func (param i32 i32 i32 i32 i32 i32))) (import
"portcullis:filter/request-headers@1.0.0" "get" (func (type 3))) (import
"portcullis:filter/request-headers@1.0.0" "set" (func (type 4))) (import
"portcullis:filter/clock@1.0.0" "local" (func (type 5))) (import "portcullis:filter/feeds@1.0.0"
"find-in" (func (type 4))) (import "portcullis:filter/state@1.0.0" "increment" (func (type 6)))
(import "portcullis:filter/metrics@1.0.0" "count" (func (type 7))) (import
"portcullis:filter/metrics@1.0.0" "gauge" (func (type 8))) (import "portcullis:filter/clock@1.0.0"
"now" (func (type 9))) (import "portcullis:filter/exchange@1.0.0" "host" (func (type 10))) (import
"portcullis:filter/feeds@1.0.0" "find" (func (type 3))) (import "portcullis:filter/feeds@1.0.0"
"names" (func (type 10))) (import "portcullis:filter/state@1.0.0" "compare-and-set" (func (type
11))) (import "portcullis:filter/state@1.0.0" "set" (func (type 12))) (import
"portcullis:filter/state@1.0.0" "remove" (func (type 3))) (import "portcullis:filter/state@1.0.0"
"get" (func (type 3))) (import "portcullis:filter/outcome@1.0.0" "how" (func (type 10))) (import
"portcullis:filter/outcome@1.0.0" "status" (func (type 10))) (import "portcullis:filter/notes@1.0.0"
"get" (func (type 3))) (import "portcullis:filter/outcome@1.0.0" "bytes-from-client" (func (type
9))) (import "portcullis:filter/outcome@1.0.0" "bytes-to-client" (func (type 9))) (import
"portcullis:filter/outcome@1.0.0" "duration" (func (type 9))) (import
"portcullis:filter/notes@1.0.0" "set" (func (type 5))) (import "portcullis:filter/exchange@1.0.0"
"id" (func (type 10))) (import "portcullis:filter/exchange@1.0.0" "started" (func (type 9))) (import
"portcullis:filter/exchange@1.0.0" "port" (func (type 13))) (import
"portcullis:filter/exchange@1.0.0" "protocol" (func (type 10))) (import
"portcullis:filter/exchange@1.0.0" "found-in" (func (type 10))) (import
"portcullis:filter/exchange@1.0.0" "server-name" (func (type 10))) (import
"portcullis:filter/client@1.0.0" "user" (func (type 10))) (import "portcullis:filter/answer@1.0.0"
"keep" (func (type 14))) (import "portcullis:filter/answer@1.0.0" "add-field" (func (type 4)))
(import "portcullis:filter/answer@1.0.0" "retry-after" (func (type 14))) (import
"portcullis:filter/answer@1.0.0" "matched" (func (type 2))) (import "portcullis:filter/random@1.0.0"
"number" (func (type 9))) (import "portcullis:filter/random@1.0.0" "bytes" (func (type 2))) (import
"portcullis:filter/log@1.0.0" "write" (func (type 3))) (import "portcullis:filter/domains@1.0.0"
"registrable" (func (type 3))) (import "portcullis:filter/metrics@1.0.0" "observe" (func (type 8)))
(import "portcullis:filter/client@1.0.0" "address" (func (type 10))) (import
"portcullis:filter/client@1.0.0" "groups" (func (type 10))) (import
"portcullis:filter/exchange@1.0.0" "listener" (func (type 10))) (import
"portcullis:filter/request-headers@1.0.0" "names" (func (type 10))) (import
"portcullis:filter/request@1.0.0" "method" (func (type 10))) (import
"portcullis:filter/request@1.0.0" "url" (func (type 10))) (import
"portcullis:filter/request-headers@1.0.0" "append" (func (type 4))) (import
"portcullis:filter/request-headers@1.0.0" "remove" (func (type 3))) (import
"portcullis:filter/request-headers@1.0.0" "all" (func (type 10))) (import
"portcullis:filter/request-headers@1.0.0" "set-all" (func (type 3))) (import
"portcullis:filter/response-headers@1.0.0" "set" (func (type 4))) (import
"portcullis:filter/response-headers@1.0.0" "names" (func (type 10))) (import
"portcullis:filter/response-headers@1.0.0" "append" (func (type 4))) (import
"portcullis:filter/response-headers@1.0.0" "remove" (func (type 3))) (import
"portcullis:filter/response-headers@1.0.0" "all" (func (type 10))) (import
"portcullis:filter/response-headers@1.0.0" "get" (func (type 3))) (import
"portcullis:filter/response-headers@1.0.0" "set-all" (func (type 3))) (table 19 19 funcref) (memory
17) (global (mut i32) i32.const 1048576) (global i32 i32.const 1050778) (global i32 i32.const
1050784) (export "memory" (memory 0)) (export
"cabi_post_portcullis:filter/exchange-ended@1.0.0#ended" (func 98)) (export
"cabi_post_portcullis:filter/judge-host@1.0.0#judge" (func 99)) (export
"cabi_post_portcullis:filter/tick@1.0.0#tick" (func 100)) (export
"portcullis:filter/exchange-ended@1.0.0#ended" (func 101)) (export
"portcullis:filter/judge-host@1.0.0#judge" (func 102)) (export
"portcullis:filter/judge-request@1.0.0#judge" (func 103)) (export
"portcullis:filter/judge-response@1.0.0#judge" (func 104)) (export
"portcullis:filter/lifecycle@1.0.0#init" (func 105)) (export "portcullis:filter/tick@1.0.0#tick"
(func 106)) (export "cabi_realloc_wit_bindgen_0_60_0" (func 142)) (export "cabi_realloc" (func 143))
(export "cabi_post_portcullis:filter/lifecycle@1.0.0#init" (func 98)) (export
"cabi_post_portcullis:filter/judge-request@1.0.0#judge" (func 99)) (export
"cabi_post_portcullis:filter/judge-response@1.0.0#judge" (func 99)) (export "__data_end" (global 1))
(export "__heap_base" (global 2)) (elem (i32.const 1) func 115 88 136 137 138 139 125 126 127 129
120 131 133 134 135 121 132 143)
(func (type 15))
(func (type 3) (param i32 i32 i32) (local i32 i32) block block block local.get 2 local.get 1 i32.sub
local.tee 3 local.get 0 i32.load local.get 0 i32.load offset=8 local.tee 4 i32.sub i32.le_u br_if 0
local.get 0 local.get 4 local.get 3 call 57 local.get 0 i32.load offset=8 local.set 4 br 1 end
local.get 2 local.get 1 i32.eq br_if 1 end local.get 3 i32.eqz br_if 0 local.get 0 i32.load offset=4
local.get 4 i32.add local.get 1 local.get 3 memory.copy end local.get 0 local.get 4 local.get 3
i32.add i32.store offset=8)
(func (type 3) (param i32 i32 i32) (local i32) global.get 0 i32.const 16 i32.sub local.tee 3
global.set 0 local.get 3 i32.const 8 i32.add local.get 0 local.get 1 local.get 2 i32.const 1
i32.const 1 call 95 block local.get 3 i32.load offset=8 local.tee 2 i32.const -2147483647 i32.eq
br_if 0 local.get 2 local.get 3 i32.load offset=12 call 67 unreachable end local.get 3 i32.const 16
i32.add global.set 0)
(func (type 10) (param i32) (local i32) block block block local.get 0 i32.load i32.const -2 i32.add
br_table 2 1 0 end local.get 0 call 59 return end local.get 0 i32.load offset=8 local.tee 1 i32.eqz
br_if 0 local.get 0 i32.load offset=12 local.get 1 call 60 end)
(func (type 10) (param i32) (local i32) block local.get 0 i32.load offset=8 local.tee 1 i32.eqz
br_if 0 local.get 0 i32.load offset=12 local.get 1 call 60 end block local.get 0 i32.load offset=20
local.tee 1 i32.eqz br_if 0 local.get 0 i32.load offset=24 local.get 1 call 60 end block local.get 0
i32.load offset=32 local.tee 1 i32.eqz br_if 0 local.get 0 i32.load offset=36 local.get 1 call 60
end)
(func (type 2) (param i32 i32) (local i32 i32) block block local.get 0 i32.const -4 i32.add i32.load
local.tee 2 i32.const -8 i32.and local.tee 3 i32.const 4 i32.const 8 local.get 2 i32.const 3 i32.and
local.tee 2 select local.get 1 i32.add i32.lt_u br_if 0 block local.get 2 i32.eqz br_if 0 local.get
3 local.get 1 i32.const 39 i32.add i32.gt_u br_if 2 end local.get 0 call 110 return end i32.const
1049832 i32.const 1049880 call 111 unreachable end i32.const 1049896 i32.const 1049944 call 111
unreachable)
(func (type 10) (param i32) (local i32) block local.get 0 i32.load local.tee 1 i32.eqz br_if 0
local.get 0 i32.load offset=4 local.get 1 call 60 end block local.get 0 i32.load offset=12 local.tee
1 i32.eqz br_if 0 local.get 0 i32.load offset=16 local.get 1 call 60 end)
(func (type 10) (param i32) (local i32) block block local.get 0 i32.load br_table 1 1 1 0 0 end
local.get 0 i32.load offset=4 local.tee 1 i32.eqz br_if 0 local.get 0 i32.load offset=8 local.get 1
call 60 end)
(func (type 10) (param i32) (local i32 i32 i32 i32) local.get 0 i32.load offset=4 local.set 1 block
local.get 0 i32.load offset=8 local.tee 2 i32.eqz br_if 0 local.get 1 local.set 3 loop block
local.get 3 i32.load local.tee 4 i32.eqz br_if 0 local.get 3 i32.const 4 i32.add i32.load local.get
4 call 60 end local.get 3 i32.const 12 i32.add local.set 3 local.get 2 i32.const -1 i32.add
local.tee 2 br_if 0 end end block local.get 0 i32.load local.tee 3 i32.eqz br_if 0 local.get 1
local.get 3 i32.const 12 i32.mul call 60 end)
(func (type 10) (param i32) (local i32 i32 i32 i32) local.get 0 i32.load offset=4 local.set 1 block
local.get 0 i32.load offset=8 local.tee 2 i32.eqz br_if 0 local.get 1 local.set 3 loop block
local.get 3 i32.load local.tee 4 i32.eqz br_if 0 local.get 3 i32.const 4 i32.add i32.load local.get
4 call 60 end block local.get 3 i32.const 12 i32.add i32.load local.tee 4 i32.eqz br_if 0 local.get
3 i32.const 16 i32.add i32.load local.get 4 call 60 end local.get 3 i32.const 24 i32.add local.set 3
local.get 2 i32.const -1 i32.add local.tee 2 br_if 0 end end block local.get 0 i32.load local.tee 3
i32.eqz br_if 0 local.get 1 local.get 3 i32.const 24 i32.mul call 60 end)
(func (type 3) (param i32 i32 i32) (local i32 i32 i32 i32 i32 i32 i32 i32) global.get 0 i32.const 32
i32.sub local.tee 3 global.set 0 local.get 3 i64.const 0 i64.store offset=8 local.get 1 local.get 2
local.get 3 i32.const 8 i32.add call 0 local.get 3 i32.load offset=12 local.tee 4 i32.const 12
i32.mul local.set 2 block block block local.get 4 i32.const 178956970 i32.le_u br_if 0 i32.const 0
local.set 1 br 1 end local.get 3 i32.load offset=8 local.set 5 block local.get 2 br_if 0 i32.const 4
local.set 6 i32.const 0 local.set 1 br 2 end local.get 4 local.set 1 local.get 2 call 66 local.tee 6
br_if 1 i32.const 4 local.set 1 end local.get 1 local.get 2 call 67 unreachable end local.get 3
i32.const 0 i32.store offset=28 local.get 3 local.get 6 i32.store offset=24 local.get 3 local.get 1
i32.store offset=20 block local.get 4 i32.eqz br_if 0 i32.const 0 local.set 2 i32.const 8 local.set
7 local.get 5 local.set 1 loop local.get 1 i32.const 4 i32.add i32.load local.set 8 local.get 1
i32.load local.set 9 block local.get 2 local.get 3 i32.load offset=20 i32.ne br_if 0 local.get 3
i32.const 20 i32.add call 68 local.get 3 i32.load offset=24 local.set 6 end local.get 6 local.get 7
i32.add local.tee 10 local.get 8 i32.store local.get 10 i32.const -4 i32.add local.get 9 i32.store
local.get 10 i32.const -8 i32.add local.get 8 i32.store local.get 3 local.get 2 i32.const 1 i32.add
local.tee 2 i32.store offset=28 local.get 7 i32.const 12 i32.add local.set 7 local.get 1 i32.const 8
i32.add local.set 1 local.get 4 local.get 2 i32.ne br_if 0 end local.get 5 local.get 4 i32.const 3
i32.shl call 60 end local.get 0 local.get 3 i32.load offset=28 i32.store offset=8 local.get 0
local.get 3 i64.load offset=20 align=4 i64.store align=4 local.get 3 i32.const 32 i32.add global.set
0)
(func (type 16) (param i32) (result i32) (local i32 i32 i32 i32 i32 i32 i32 i32 i64) block block
block block local.get 0 i32.const 245 i32.lt_u br_if 0 block local.get 0 i32.const -65588 i32.le_u
br_if 0 i32.const 0 return end local.get 0 i32.const 11 i32.add local.tee 1 i32.const -8 i32.and
local.set 2 i32.const 0 i32.load offset=1050736 local.tee 3 i32.eqz br_if 2 i32.const 31 local.set 4
local.get 0 i32.const 16777205 i32.ge_u br_if 1 local.get 2 i32.const 38 local.get 1 i32.const 8
i32.shr_u i32.clz local.tee 0 i32.sub i32.shr_u i32.const 1 i32.and local.get 0 i32.const 1 i32.shl
i32.sub i32.const 62 i32.add local.set 4 br 1 end block block block block block block i32.const 0
i32.load offset=1050732 local.tee 5 i32.const 16 local.get 0 i32.const 11 i32.add i32.const 504
i32.and local.get 0 i32.const 11 i32.lt_u select local.tee 2 i32.const 3 i32.shr_u local.tee 1
i32.shr_u local.tee 0 i32.const 3 i32.and i32.eqz br_if 0 local.get 0 i32.const -1 i32.xor i32.const
1 i32.and local.get 1 i32.add local.tee 6 i32.const 3 i32.shl local.tee 0 i32.const 1050468 i32.add
local.tee 1 local.get 0 i32.const 1050476 i32.add i32.load local.tee 2 i32.load offset=8 local.tee 7
i32.eq br_if 1 local.get 7 local.get 1 i32.store offset=12 local.get 1 local.get 7 i32.store
offset=8 br 2 end local.get 2 i32.const 0 i32.load offset=1050740 i32.le_u br_if 6 local.get 0 br_if
2 i32.const 0 i32.load offset=1050736 local.tee 0 i32.eqz br_if 6 local.get 0 i32.ctz i32.const 2
i32.shl i32.const 1050324 i32.add i32.load local.tee 7 i32.load offset=4 i32.const -8 i32.and
local.get 2 i32.sub local.set 1 local.get 7 local.set 5 loop block local.get 7 i32.load offset=16
local.tee 0 br_if 0 local.get 7 i32.load offset=20 local.tee 0 br_if 0 local.get 5 i32.load
offset=24 local.set 4 block block block local.get 5 i32.load offset=12 local.tee 0 local.get 5
i32.ne br_if 0 local.get 5 i32.const 20 i32.const 16 local.get 5 i32.load offset=20 local.tee 0
select i32.add i32.load local.tee 7 br_if 1 i32.const 0 local.set 0 br 2 end local.get 5 i32.load
offset=8 local.tee 7 local.get 0 i32.store offset=12 local.get 0 local.get 7 i32.store offset=8 br 1
end local.get 5 i32.const 20 i32.add local.get 5 i32.const 16 i32.add local.get 0 select local.set 6
loop local.get 6 local.set 8 local.get 7 local.tee 0 i32.const 20 i32.add local.get 0 i32.const 16
i32.add local.get 0 i32.load offset=20 local.tee 7 select local.set 6 local.get 0 i32.const 20
i32.const 16 local.get 7 select i32.add i32.load local.tee 7 br_if 0 end local.get 8 i32.const 0
i32.store end local.get 4 i32.eqz br_if 6 block block local.get 5 local.get 5 i32.load offset=28
i32.const 2 i32.shl i32.const 1050324 i32.add local.tee 7 i32.load i32.eq br_if 0 block local.get 4
i32.load offset=16 local.get 5 i32.eq br_if 0 local.get 4 local.get 0 i32.store offset=20 local.get
0 br_if 2 br 9 end local.get 4 local.get 0 i32.store offset=16 local.get 0 br_if 1 br 8 end
local.get 7 local.get 0 i32.store local.get 0 i32.eqz br_if 6 end local.get 0 local.get 4 i32.store
offset=24 block local.get 5 i32.load offset=16 local.tee 7 i32.eqz br_if 0 local.get 0 local.get 7
i32.store offset=16 local.get 7 local.get 0 i32.store offset=24 end local.get 5 i32.load offset=20
local.tee 7 i32.eqz br_if 6 local.get 0 local.get 7 i32.store offset=20 local.get 7 local.get 0
i32.store offset=24 br 6 end local.get 0 i32.load offset=4 i32.const -8 i32.and local.get 2 i32.sub
local.tee 7 local.get 1 local.get 7 local.get 1 i32.lt_u local.tee 7 select local.set 1 local.get 0
local.get 5 local.get 7 select local.set 5 local.get 0 local.set 7 br 0 end end i32.const 0
local.get 5 i32.const -2 local.get 6 i32.rotl i32.and i32.store offset=1050732 end local.get 2
local.get 0 i32.const 3 i32.or i32.store offset=4 local.get 2 local.get 0 i32.add local.tee 0
local.get 0 i32.load offset=4 i32.const 1 i32.or i32.store offset=4 local.get 2 i32.const 8 i32.add
return end block block local.get 0 local.get 1 i32.shl i32.const 2 local.get 1 i32.shl local.tee 0
i32.const 0 local.get 0 i32.sub i32.or i32.and i32.ctz local.tee 8 i32.const 3 i32.shl local.tee 1
i32.const 1050468 i32.add local.tee 7 local.get 1 i32.const 1050476 i32.add i32.load local.tee 0
i32.load offset=8 local.tee 6 i32.eq br_if 0 local.get 6 local.get 7 i32.store offset=12 local.get 7
local.get 6 i32.store offset=8 br 1 end i32.const 0 local.get 5 i32.const -2 local.get 8 i32.rotl
i32.and i32.store offset=1050732 end local.get 0 local.get 2 i32.const 3 i32.or i32.store offset=4
local.get 0 local.get 2 i32.add local.tee 5 local.get 1 local.get 2 i32.sub local.tee 7 i32.const 1
i32.or i32.store offset=4 local.get 0 local.get 1 i32.add local.get 7 i32.store block i32.const 0
i32.load offset=1050740 local.tee 1 i32.eqz br_if 0 i32.const 0 i32.load offset=1050748 local.set 2
block block i32.const 0 i32.load offset=1050732 local.tee 6 i32.const 1 local.get 1 i32.const 3
i32.shr_u i32.shl local.tee 8 i32.and br_if 0 i32.const 0 local.get 6 local.get 8 i32.or i32.store
offset=1050732 local.get 1 i32.const -8 i32.and i32.const 1050468 i32.add local.tee 1 local.set 6 br
1 end local.get 1 i32.const -8 i32.and local.tee 1 i32.const 1050468 i32.add local.set 6 local.get 1
i32.const 1050476 i32.add i32.load local.set 1 end local.get 6 local.get 2 i32.store offset=8
local.get 1 local.get 2 i32.store offset=12 local.get 2 local.get 6 i32.store offset=12 local.get 2
local.get 1 i32.store offset=8 end i32.const 0 local.get 5 i32.store offset=1050748 i32.const 0
local.get 7 i32.store offset=1050740 local.get 0 i32.const 8 i32.add return end i32.const 0
i32.const 0 i32.load offset=1050736 i32.const -2 local.get 5 i32.load offset=28 i32.rotl i32.and
i32.store offset=1050736 end block block block local.get 1 i32.const 16 i32.lt_u br_if 0 local.get 5
local.get 2 i32.const 3 i32.or i32.store offset=4 local.get 5 local.get 2 i32.add local.tee 7
local.get 1 i32.const 1 i32.or i32.store offset=4 local.get 7 local.get 1 i32.add local.get 1
i32.store i32.const 0 i32.load offset=1050740 local.tee 6 i32.eqz br_if 1 i32.const 0 i32.load
offset=1050748 local.set 0 block block i32.const 0 i32.load offset=1050732 local.tee 8 i32.const 1
local.get 6 i32.const 3 i32.shr_u i32.shl local.tee 4 i32.and br_if 0 i32.const 0 local.get 8
local.get 4 i32.or i32.store offset=1050732 local.get 6 i32.const -8 i32.and i32.const 1050468
i32.add local.tee 6 local.set 8 br 1 end local.get 6 i32.const -8 i32.and local.tee 6 i32.const
1050468 i32.add local.set 8 local.get 6 i32.const 1050476 i32.add i32.load local.set 6 end local.get
8 local.get 0 i32.store offset=8 local.get 6 local.get 0 i32.store offset=12 local.get 0 local.get 8
i32.store offset=12 local.get 0 local.get 6 i32.store offset=8 br 1 end local.get 5 local.get 1
local.get 2 i32.add local.tee 0 i32.const 3 i32.or i32.store offset=4 local.get 5 local.get 0
i32.add local.tee 0 local.get 0 i32.load offset=4 i32.const 1 i32.or i32.store offset=4 br 1 end
i32.const 0 local.get 7 i32.store offset=1050748 i32.const 0 local.get 1 i32.store offset=1050740
end local.get 5 i32.const 8 i32.add local.tee 0 i32.eqz br_if 1 br 2 end i32.const 0 local.get 2
i32.sub local.set 1 block block block block local.get 4 i32.const 2 i32.shl i32.const 1050324
i32.add i32.load local.tee 5 br_if 0 i32.const 0 local.set 7 i32.const 0 local.set 0 br 1 end
i32.const 0 local.set 7 local.get 2 i32.const 0 i32.const 25 local.get 4 i32.const 1 i32.shr_u
i32.sub local.get 4 i32.const 31 i32.eq select i32.shl local.set 6 i32.const 0 local.set 0 loop
block local.get 5 local.tee 5 i32.load offset=4 i32.const -8 i32.and local.tee 8 local.get 2
i32.lt_u br_if 0 local.get 8 local.get 2 i32.sub local.tee 8 local.get 1 i32.ge_u br_if 0 local.get
5 local.set 7 local.get 8 local.set 1 local.get 8 br_if 0 i32.const 0 local.set 1 local.get 5
local.set 0 local.get 5 local.set 7 br 3 end local.get 5 i32.load offset=20 local.tee 8 local.get 0
local.get 8 local.get 5 local.get 6 i32.const 29 i32.shr_u i32.const 4 i32.and i32.add i32.load
offset=16 local.tee 5 i32.ne select local.get 0 local.get 8 select local.set 0 local.get 6 i32.const
1 i32.shl local.set 6 local.get 5 br_if 0 end end block local.get 0 local.get 7 i32.or br_if 0
i32.const 0 local.set 7 i32.const 2 local.get 4 i32.shl local.tee 0 i32.const 0 local.get 0 i32.sub
i32.or local.get 3 i32.and local.tee 0 i32.eqz br_if 3 local.get 0 i32.ctz i32.const 2 i32.shl
i32.const 1050324 i32.add i32.load local.set 0 end local.get 0 i32.eqz br_if 1 end loop local.get 0
i32.load offset=4 i32.const -8 i32.and local.tee 5 local.get 2 i32.sub local.tee 6 local.get 1
local.get 6 local.get 1 i32.lt_u local.tee 8 select local.set 4 local.get 5 local.get 2 i32.lt_u
local.set 6 local.get 0 local.get 7 local.get 8 select local.set 8 block local.get 0 i32.load
offset=16 local.tee 5 br_if 0 local.get 0 i32.load offset=20 local.set 5 end local.get 1 local.get 4
local.get 6 select local.set 1 local.get 7 local.get 8 local.get 6 select local.set 7 local.get 5
local.set 0 local.get 5 br_if 0 end end local.get 7 i32.eqz br_if 0 block i32.const 0 i32.load
offset=1050740 local.tee 0 local.get 2 i32.lt_u br_if 0 local.get 1 local.get 0 local.get 2 i32.sub
i32.ge_u br_if 1 end local.get 7 i32.load offset=24 local.set 4 block block block local.get 7
i32.load offset=12 local.tee 0 local.get 7 i32.ne br_if 0 local.get 7 i32.const 20 i32.const 16
local.get 7 i32.load offset=20 local.tee 0 select i32.add i32.load local.tee 5 br_if 1 i32.const 0
local.set 0 br 2 end local.get 7 i32.load offset=8 local.tee 5 local.get 0 i32.store offset=12
local.get 0 local.get 5 i32.store offset=8 br 1 end local.get 7 i32.const 20 i32.add local.get 7
i32.const 16 i32.add local.get 0 select local.set 6 loop local.get 6 local.set 8 local.get 5
local.tee 0 i32.const 20 i32.add local.get 0 i32.const 16 i32.add local.get 0 i32.load offset=20
local.tee 5 select local.set 6 local.get 0 i32.const 20 i32.const 16 local.get 5 select i32.add
i32.load local.tee 5 br_if 0 end local.get 8 i32.const 0 i32.store end block local.get 4 i32.eqz
br_if 0 block block block local.get 7 local.get 7 i32.load offset=28 i32.const 2 i32.shl i32.const
1050324 i32.add local.tee 5 i32.load i32.eq br_if 0 block local.get 4 i32.load offset=16 local.get 7
i32.eq br_if 0 local.get 4 local.get 0 i32.store offset=20 local.get 0 br_if 2 br 4 end local.get 4
local.get 0 i32.store offset=16 local.get 0 br_if 1 br 3 end local.get 5 local.get 0 i32.store
local.get 0 i32.eqz br_if 1 end local.get 0 local.get 4 i32.store offset=24 block local.get 7
i32.load offset=16 local.tee 5 i32.eqz br_if 0 local.get 0 local.get 5 i32.store offset=16 local.get
5 local.get 0 i32.store offset=24 end local.get 7 i32.load offset=20 local.tee 5 i32.eqz br_if 1
local.get 0 local.get 5 i32.store offset=20 local.get 5 local.get 0 i32.store offset=24 br 1 end
i32.const 0 i32.const 0 i32.load offset=1050736 i32.const -2 local.get 7 i32.load offset=28 i32.rotl
i32.and i32.store offset=1050736 end block block local.get 1 i32.const 16 i32.lt_u br_if 0 local.get
7 local.get 2 i32.const 3 i32.or i32.store offset=4 local.get 7 local.get 2 i32.add local.tee 0
local.get 1 i32.const 1 i32.or i32.store offset=4 local.get 0 local.get 1 i32.add local.get 1
i32.store block local.get 1 i32.const 256 i32.lt_u br_if 0 local.get 0 local.get 1 call 140 br 2 end
block block i32.const 0 i32.load offset=1050732 local.tee 5 i32.const 1 local.get 1 i32.const 3
i32.shr_u i32.shl local.tee 6 i32.and br_if 0 i32.const 0 local.get 5 local.get 6 i32.or i32.store
offset=1050732 local.get 1 i32.const 248 i32.and i32.const 1050468 i32.add local.tee 1 local.set 5
br 1 end local.get 1 i32.const 248 i32.and local.tee 1 i32.const 1050468 i32.add local.set 5
local.get 1 i32.const 1050476 i32.add i32.load local.set 1 end local.get 5 local.get 0 i32.store
offset=8 local.get 1 local.get 0 i32.store offset=12 local.get 0 local.get 5 i32.store offset=12
local.get 0 local.get 1 i32.store offset=8 br 1 end local.get 7 local.get 1 local.get 2 i32.add
local.tee 0 i32.const 3 i32.or i32.store offset=4 local.get 7 local.get 0 i32.add local.tee 0
local.get 0 i32.load offset=4 i32.const 1 i32.or i32.store offset=4 end local.get 7 i32.const 8
i32.add local.tee 0 br_if 1 end block block block block block block i32.const 0 i32.load
offset=1050740 local.tee 0 local.get 2 i32.ge_u br_if 0 block i32.const 0 i32.load offset=1050744
local.tee 0 local.get 2 i32.gt_u br_if 0 block local.get 2 i32.const 65583 i32.add local.tee 7
i32.const 16 i32.shr_u memory.grow local.tee 1 i32.const -1 i32.ne br_if 0 i32.const 0 return end
i32.const 0 local.set 0 local.get 1 i32.const 16 i32.shl local.tee 5 i32.eqz br_if 7 i32.const 0
i32.const 0 i32.load offset=1050756 local.get 7 i32.const -65536 i32.and local.tee 0 i32.const -16
i32.add local.get 0 local.get 5 i32.const 0 local.get 0 i32.sub i32.eq select local.tee 8 i32.add
local.tee 0 i32.store offset=1050756 i32.const 0 local.get 0 i32.const 0 i32.load offset=1050760
local.tee 1 local.get 0 local.get 1 i32.gt_u select i32.store offset=1050760 block block block
i32.const 0 i32.load offset=1050752 local.tee 1 i32.eqz br_if 0 i32.const 1050452 local.set 0 loop
local.get 0 i32.load local.tee 7 local.get 0 i32.load offset=4 local.tee 6 i32.add local.get 5
i32.eq br_if 2 local.get 0 i32.load offset=8 local.tee 0 br_if 0 br 3 end end block block i32.const
0 i32.load offset=1050768 local.tee 0 i32.eqz br_if 0 local.get 0 local.get 5 i32.le_u br_if 1 end
i32.const 0 local.get 5 i32.store offset=1050768 end i32.const 0 i32.const 4095 i32.store
offset=1050772 i32.const 0 local.get 8 i32.store offset=1050456 i32.const 0 local.get 5 i32.store
offset=1050452 i32.const 0 i32.const 1050468 i32.store offset=1050480 i32.const 0 i32.const 1050476
i32.store offset=1050488 i32.const 0 i32.const 1050468 i32.store offset=1050476 i32.const 0
i32.const 1050484 i32.store offset=1050496 i32.const 0 i32.const 1050476 i32.store offset=1050484
i32.const 0 i32.const 1050492 i32.store offset=1050504 i32.const 0 i32.const 1050484 i32.store
offset=1050492 i32.const 0 i32.const 1050500 i32.store offset=1050512 i32.const 0 i32.const 1050492
i32.store offset=1050500 i32.const 0 i32.const 1050508 i32.store offset=1050520 i32.const 0
i32.const 1050500 i32.store offset=1050508 i32.const 0 i32.const 1050516 i32.store offset=1050528
i32.const 0 i32.const 1050508 i32.store offset=1050516 i32.const 0 i32.const 1050524 i32.store
offset=1050536 i32.const 0 i32.const 1050516 i32.store offset=1050524 i32.const 0 i32.const 0
i32.store offset=1050464 i32.const 0 i32.const 1050532 i32.store offset=1050544 i32.const 0
i32.const 1050524 i32.store offset=1050532 i32.const 0 i32.const 1050532 i32.store offset=1050540
i32.const 0 i32.const 1050540 i32.store offset=1050552 i32.const 0 i32.const 1050540 i32.store
offset=1050548 i32.const 0 i32.const 1050548 i32.store offset=1050560 i32.const 0 i32.const 1050548
i32.store offset=1050556 i32.const 0 i32.const 1050556 i32.store offset=1050568 i32.const 0
i32.const 1050556 i32.store offset=1050564 i32.const 0 i32.const 1050564 i32.store offset=1050576
i32.const 0 i32.const 1050564 i32.store offset=1050572 i32.const 0 i32.const 1050572 i32.store
offset=1050584 i32.const 0 i32.const 1050572 i32.store offset=1050580 i32.const 0 i32.const 1050580
i32.store offset=1050592 i32.const 0 i32.const 1050580 i32.store offset=1050588 i32.const 0
i32.const 1050588 i32.store offset=1050600 i32.const 0 i32.const 1050588 i32.store offset=1050596
i32.const 0 i32.const 1050596 i32.store offset=1050608 i32.const 0 i32.const 1050604 i32.store
offset=1050616 i32.const 0 i32.const 1050596 i32.store offset=1050604 i32.const 0 i32.const 1050612
i32.store offset=1050624 i32.const 0 i32.const 1050604 i32.store offset=1050612 i32.const 0
i32.const 1050620 i32.store offset=1050632 i32.const 0 i32.const 1050612 i32.store offset=1050620
i32.const 0 i32.const 1050628 i32.store offset=1050640 i32.const 0 i32.const 1050620 i32.store
offset=1050628 i32.const 0 i32.const 1050636 i32.store offset=1050648 i32.const 0 i32.const 1050628
i32.store offset=1050636 i32.const 0 i32.const 1050644 i32.store offset=1050656 i32.const 0
i32.const 1050636 i32.store offset=1050644 i32.const 0 i32.const 1050652 i32.store offset=1050664
i32.const 0 i32.const 1050644 i32.store offset=1050652 i32.const 0 i32.const 1050660 i32.store
offset=1050672 i32.const 0 i32.const 1050652 i32.store offset=1050660 i32.const 0 i32.const 1050668
i32.store offset=1050680 i32.const 0 i32.const 1050660 i32.store offset=1050668 i32.const 0
i32.const 1050676 i32.store offset=1050688 i32.const 0 i32.const 1050668 i32.store offset=1050676
i32.const 0 i32.const 1050684 i32.store offset=1050696 i32.const 0 i32.const 1050676 i32.store
offset=1050684 i32.const 0 i32.const 1050692 i32.store offset=1050704 i32.const 0 i32.const 1050684
i32.store offset=1050692 i32.const 0 i32.const 1050700 i32.store offset=1050712 i32.const 0
i32.const 1050692 i32.store offset=1050700 i32.const 0 i32.const 1050708 i32.store offset=1050720
i32.const 0 i32.const 1050700 i32.store offset=1050708 i32.const 0 i32.const 1050716 i32.store
offset=1050728 i32.const 0 i32.const 1050708 i32.store offset=1050716 i32.const 0 local.get 5
i32.store offset=1050752 i32.const 0 i32.const 1050716 i32.store offset=1050724 i32.const 0
local.get 8 i32.const -40 i32.add local.tee 0 i32.store offset=1050744 local.get 5 local.get 0
i32.const 1 i32.or i32.store offset=4 local.get 5 local.get 0 i32.add i32.const 40 i32.store
offset=4 i32.const 0 i32.const 2097152 i32.store offset=1050764 br 8 end local.get 1 local.get 5
i32.ge_u br_if 0 local.get 7 local.get 1 i32.gt_u br_if 0 local.get 0 i32.load offset=12 i32.eqz
br_if 3 end i32.const 0 i32.const 0 i32.load offset=1050768 local.tee 0 local.get 5 local.get 0
local.get 5 i32.lt_u select i32.store offset=1050768 local.get 5 local.get 8 i32.add local.set 7
i32.const 1050452 local.set 0 block block block loop local.get 0 i32.load local.tee 6 local.get 7
i32.eq br_if 1 local.get 0 i32.load offset=8 local.tee 0 br_if 0 br 2 end end local.get 0 i32.load
offset=12 i32.eqz br_if 1 end i32.const 1050452 local.set 0 block loop block local.get 0 i32.load
local.tee 7 local.get 1 i32.gt_u br_if 0 local.get 1 local.get 7 local.get 0 i32.load offset=4
i32.add local.tee 7 i32.lt_u br_if 2 end local.get 0 i32.load offset=8 local.set 0 br 0 end end
i32.const 0 local.get 5 i32.store offset=1050752 i32.const 0 local.get 8 i32.const -40 i32.add
local.tee 0 i32.store offset=1050744 local.get 5 local.get 0 i32.const 1 i32.or i32.store offset=4
local.get 5 local.get 0 i32.add i32.const 40 i32.store offset=4 i32.const 0 i32.const 2097152
i32.store offset=1050764 local.get 1 local.get 7 i32.const -32 i32.add i32.const -8 i32.and
i32.const -8 i32.add local.tee 0 local.get 0 local.get 1 i32.const 16 i32.add i32.lt_u select
local.tee 6 i32.const 27 i32.store offset=4 i32.const 0 i64.load offset=1050452 align=4 local.set 9
local.get 6 i32.const 16 i32.add i32.const 0 i64.load offset=1050460 align=4 i64.store align=4
local.get 6 i32.const 8 i32.add local.tee 0 local.get 9 i64.store align=4 i32.const 0 local.get 8
i32.store offset=1050456 i32.const 0 local.get 5 i32.store offset=1050452 i32.const 0 local.get 0
i32.store offset=1050460 i32.const 0 i32.const 0 i32.store offset=1050464 local.get 6 i32.const 28
i32.add local.set 0 loop local.get 0 i32.const 7 i32.store local.get 0 i32.const 4 i32.add local.tee
0 local.get 7 i32.lt_u br_if 0 end local.get 6 local.get 1 i32.eq br_if 7 local.get 6 local.get 6
i32.load offset=4 i32.const -2 i32.and i32.store offset=4 local.get 1 local.get 6 local.get 1
i32.sub local.tee 0 i32.const 1 i32.or i32.store offset=4 local.get 6 local.get 0 i32.store block
local.get 0 i32.const 256 i32.lt_u br_if 0 local.get 1 local.get 0 call 140 br 8 end block block
i32.const 0 i32.load offset=1050732 local.tee 7 i32.const 1 local.get 0 i32.const 3 i32.shr_u
i32.shl local.tee 5 i32.and br_if 0 i32.const 0 local.get 7 local.get 5 i32.or i32.store
offset=1050732 local.get 0 i32.const 248 i32.and i32.const 1050468 i32.add local.tee 0 local.set 7
br 1 end local.get 0 i32.const 248 i32.and local.tee 0 i32.const 1050468 i32.add local.set 7
local.get 0 i32.const 1050476 i32.add i32.load local.set 0 end local.get 7 local.get 1 i32.store
offset=8 local.get 0 local.get 1 i32.store offset=12 local.get 1 local.get 7 i32.store offset=12
local.get 1 local.get 0 i32.store offset=8 br 7 end local.get 0 local.get 5 i32.store local.get 0
local.get 0 i32.load offset=4 local.get 8 i32.add i32.store offset=4 local.get 5 local.get 2
i32.const 3 i32.or i32.store offset=4 local.get 6 i32.const 15 i32.add i32.const -8 i32.and
i32.const -8 i32.add local.tee 1 local.get 5 local.get 2 i32.add local.tee 0 i32.sub local.set 2
local.get 1 i32.const 0 i32.load offset=1050752 i32.eq br_if 3 local.get 1 i32.const 0 i32.load
offset=1050748 i32.eq br_if 4 block local.get 1 i32.load offset=4 local.tee 7 i32.const 3 i32.and
i32.const 1 i32.ne br_if 0 local.get 1 local.get 7 i32.const -8 i32.and local.tee 7 call 113
local.get 7 local.get 2 i32.add local.set 2 local.get 1 local.get 7 i32.add local.tee 1 i32.load
offset=4 local.set 7 end local.get 1 local.get 7 i32.const -2 i32.and i32.store offset=4 local.get 0
local.get 2 i32.const 1 i32.or i32.store offset=4 local.get 0 local.get 2 i32.add local.get 2
i32.store block local.get 2 i32.const 256 i32.lt_u br_if 0 local.get 0 local.get 2 call 140 br 6 end
block block i32.const 0 i32.load offset=1050732 local.tee 1 i32.const 1 local.get 2 i32.const 3
i32.shr_u i32.shl local.tee 7 i32.and br_if 0 i32.const 0 local.get 1 local.get 7 i32.or i32.store
offset=1050732 local.get 2 i32.const 248 i32.and i32.const 1050468 i32.add local.tee 2 local.set 1
br 1 end local.get 2 i32.const 248 i32.and local.tee 2 i32.const 1050468 i32.add local.set 1
local.get 2 i32.const 1050476 i32.add i32.load local.set 2 end local.get 1 local.get 0 i32.store
offset=8 local.get 2 local.get 0 i32.store offset=12 local.get 0 local.get 1 i32.store offset=12
local.get 0 local.get 2 i32.store offset=8 br 5 end i32.const 0 local.get 0 local.get 2 i32.sub
local.tee 1 i32.store offset=1050744 i32.const 0 i32.const 0 i32.load offset=1050752 local.tee 0
local.get 2 i32.add local.tee 7 i32.store offset=1050752 local.get 7 local.get 1 i32.const 1 i32.or
i32.store offset=4 local.get 0 local.get 2 i32.const 3 i32.or i32.store offset=4 local.get 0
i32.const 8 i32.add local.set 0 br 6 end i32.const 0 i32.load offset=1050748 local.set 1 block block
local.get 0 local.get 2 i32.sub local.tee 7 i32.const 15 i32.gt_u br_if 0 i32.const 0 i32.const 0
i32.store offset=1050748 i32.const 0 i32.const 0 i32.store offset=1050740 local.get 1 local.get 0
i32.const 3 i32.or i32.store offset=4 local.get 1 local.get 0 i32.add local.tee 0 local.get 0
i32.load offset=4 i32.const 1 i32.or i32.store offset=4 br 1 end i32.const 0 local.get 7 i32.store
offset=1050740 i32.const 0 local.get 1 local.get 2 i32.add local.tee 5 i32.store offset=1050748
local.get 5 local.get 7 i32.const 1 i32.or i32.store offset=4 local.get 1 local.get 0 i32.add
local.get 7 i32.store local.get 1 local.get 2 i32.const 3 i32.or i32.store offset=4 end local.get 1
i32.const 8 i32.add return end local.get 0 local.get 6 local.get 8 i32.add i32.store offset=4
i32.const 0 i32.const 0 i32.load offset=1050752 local.tee 0 i32.const 15 i32.add i32.const -8
i32.and local.tee 1 i32.const -8 i32.add local.tee 7 i32.store offset=1050752 i32.const 0 local.get
0 local.get 1 i32.sub i32.const 0 i32.load offset=1050744 local.get 8 i32.add local.tee 1 i32.add
i32.const 8 i32.add local.tee 5 i32.store offset=1050744 local.get 7 local.get 5 i32.const 1 i32.or
i32.store offset=4 local.get 0 local.get 1 i32.add i32.const 40 i32.store offset=4 i32.const 0
i32.const 2097152 i32.store offset=1050764 br 3 end i32.const 0 local.get 0 i32.store offset=1050752
i32.const 0 i32.const 0 i32.load offset=1050744 local.get 2 i32.add local.tee 2 i32.store
offset=1050744 local.get 0 local.get 2 i32.const 1 i32.or i32.store offset=4 br 1 end i32.const 0
local.get 0 i32.store offset=1050748 i32.const 0 i32.const 0 i32.load offset=1050740 local.get 2
i32.add local.tee 2 i32.store offset=1050740 local.get 0 local.get 2 i32.const 1 i32.or i32.store
offset=4 local.get 0 local.get 2 i32.add local.get 2 i32.store end local.get 5 i32.const 8 i32.add
return end i32.const 0 local.set 0 i32.const 0 i32.load offset=1050744 local.tee 1 local.get 2
i32.le_u br_if 0 i32.const 0 local.get 1 local.get 2 i32.sub local.tee 1 i32.store offset=1050744
i32.const 0 i32.const 0 i32.load offset=1050752 local.tee 0 local.get 2 i32.add local.tee 7
i32.store offset=1050752 local.get 7 local.get 1 i32.const 1 i32.or i32.store offset=4 local.get 0
local.get 2 i32.const 3 i32.or i32.store offset=4 local.get 0 i32.const 8 i32.add return end
local.get 0)
(func (type 2) (param i32 i32) block local.get 0 i32.eqz br_if 0 local.get 0 local.get 1 call 73
unreachable end call 107 unreachable)
(func (type 10) (param i32) (local i32) global.get 0 i32.const 16 i32.sub local.tee 1 global.set 0
local.get 1 i32.const 8 i32.add local.get 0 local.get 0 i32.load i32.const 1 i32.const 4 i32.const
12 call 95 block local.get 1 i32.load offset=8 local.tee 0 i32.const -2147483647 i32.eq br_if 0
local.get 0 local.get 1 i32.load offset=12 call 67 unreachable end local.get 1 i32.const 16 i32.add
global.set 0)
(func (type 4) (param i32 i32 i32 i32 i32) (local i32 i64) global.get 0 i32.const 16 i32.sub
local.tee 5 global.set 0 local.get 1 local.get 2 local.get 3 local.get 4 local.get 5 call 1 block
block local.get 5 i32.load8_u br_if 0 local.get 0 i32.const -2147483644 i32.store br 1 end block
block local.get 5 i32.load8_u offset=4 local.tee 4 i32.const 4 i32.lt_u br_if 0 local.get 5 i32.load
offset=12 local.tee 4 i64.extend_i32_u i64.const 32 i64.shl local.get 5 i64.load32_u offset=8 i64.or
local.set 6 br 1 end local.get 4 i32.const -2147483648 i32.or local.set 4 end local.get 0 local.get
6 i64.store offset=4 align=4 local.get 0 local.get 4 i32.store end local.get 5 i32.const 16 i32.add
global.set 0)
(func (type 3) (param i32 i32 i32) (local i32) global.get 0 i32.const 16 i32.sub local.tee 3
global.set 0 local.get 1 i32.const 0 i32.ne local.get 1 local.get 2 i32.const 0 local.get 1 select
local.get 3 i32.const 4 i32.add call 2 block block local.get 3 i32.load8_u offset=4 br_if 0
local.get 0 local.get 3 i32.load16_u offset=14 i32.store16 offset=10 local.get 0 local.get 3
i32.load offset=10 align=2 i32.store offset=6 align=2 local.get 0 local.get 3 i32.load16_u offset=8
i32.store16 offset=4 i32.const -2147483648 local.set 1 br 1 end local.get 0 local.get 3 i32.load
offset=12 local.tee 1 i32.store offset=8 local.get 0 local.get 3 i32.load offset=8 i32.store
offset=4 end local.get 0 local.get 1 i32.store local.get 3 i32.const 16 i32.add global.set 0)
(func (type 3) (param i32 i32 i32) (local i32 i32 i32 i32 i32 i32 i32 i32 i32) global.get 0
i32.const 48 i32.sub local.tee 3 global.set 0 block i32.const 8 call 66 local.tee 4 i32.eqz br_if 0
local.get 4 local.get 1 i32.store local.get 4 local.get 2 i32.store offset=4 local.get 4 i32.const 1
i32.const 1048705 i32.const 10 local.get 3 i32.const 4 i32.add call 3 local.get 3 i32.load8_u
offset=8 local.set 2 block block block block local.get 3 i32.load8_u offset=4 br_if 0 local.get 2
i32.const 255 i32.and br_if 1 i32.const 2 local.set 5 br 2 end local.get 0 local.get 3 i32.load
offset=16 local.tee 1 i32.store offset=16 local.get 0 local.get 3 i32.load offset=12 i32.store
offset=12 local.get 0 local.get 1 i32.store offset=8 local.get 0 i32.const 3 i32.store local.get 0
i32.const 1 i32.const 2 local.get 2 i32.const 255 i32.and local.tee 2 i32.const 1 i32.eq select
i32.const 0 local.get 2 select i32.store offset=4 br 2 end local.get 3 i32.load8_u offset=36
i32.const 0 i32.ne local.set 5 local.get 3 i32.load offset=40 local.set 6 local.get 3 i32.load8_u
offset=44 local.set 7 local.get 3 i32.load offset=32 local.set 8 local.get 3 i32.load offset=28
local.set 9 local.get 3 i32.load offset=24 local.set 1 local.get 3 i32.load offset=20 local.set 10
local.get 3 i32.load offset=16 local.set 2 local.get 3 i32.load offset=12 local.set 11 end local.get
0 local.get 7 i32.store8 offset=44 local.get 0 local.get 8 i32.store offset=40 local.get 0 local.get
9 i32.store offset=36 local.get 0 local.get 8 i32.store offset=32 local.get 0 local.get 1 i32.store
offset=28 local.get 0 local.get 10 i32.store offset=24 local.get 0 local.get 1 i32.store offset=20
local.get 0 local.get 2 i32.store offset=16 local.get 0 local.get 11 i32.store offset=12 local.get 0
local.get 2 i32.store offset=8 local.get 0 local.get 6 i32.store offset=4 local.get 0 local.get 5
i32.store end i32.const 8 local.get 4 call 72 local.get 3 i32.const 48 i32.add global.set 0 return
end i32.const 4 i32.const 8 call 73 unreachable)
(func (type 2) (param i32 i32) local.get 1 local.get 0 call 60)
(func (type 2) (param i32 i32) local.get 1 local.get 0 call 109 unreachable)
(func (type 17) (param i32 i32 i32 i64 i64) (local i32 i32) global.get 0 i32.const 32 i32.sub
local.tee 5 global.set 0 local.get 1 local.get 2 local.get 3 local.get 4 i32.wrap_i64 local.tee 6
i64.const 1000 i64.const 0 local.get 6 i32.const 1 i32.and select local.get 5 i32.const 8 i32.add
call 4 block block local.get 5 i32.load8_u offset=8 br_if 0 local.get 0 local.get 5 i64.load
offset=16 i64.store offset=8 local.get 0 i32.const 5 i32.store br 1 end block block block block
block block local.get 5 i32.load8_u offset=16 local.tee 1 br_table 5 2 1 0 3 end i32.const 3
local.set 1 br 3 end i32.const 2 local.set 1 br 3 end i32.const 1 local.set 1 br 2 end i32.const 4
local.set 1 end local.get 5 i32.load offset=24 local.set 2 local.get 5 i32.load offset=20 local.set
6 end local.get 0 local.get 2 i32.store offset=12 local.get 0 local.get 6 i32.store offset=8
local.get 0 local.get 2 i32.store offset=4 local.get 0 local.get 1 i32.store end local.get 5
i32.const 32 i32.add global.set 0)
(func (type 7) (param i32 i32 i64 i32 i32) (local i32 i32 i32 i32 i32 i32 i32 i32) global.get 0
i32.const 16 i32.sub local.tee 5 global.set 0 local.get 5 local.get 4 i32.const 4 i32.shl call 76
local.get 3 i32.const 16 i32.add local.set 3 local.get 4 i32.const 24 i32.mul local.set 6 local.get
5 i32.load offset=12 local.set 7 local.get 5 i32.load offset=8 local.set 8 local.get 5 i32.load
offset=4 local.set 9 local.get 5 i32.load local.set 10 i32.const 0 local.set 11 loop local.get 10
local.get 11 i32.add local.tee 12 local.get 3 i32.const -12 i32.add i64.load align=4 i64.store
align=4 local.get 12 i32.const 8 i32.add local.get 3 i64.load align=4 i64.store align=4 local.get 3
i32.const 24 i32.add local.set 3 local.get 11 i32.const 16 i32.add local.set 11 local.get 6
i32.const -24 i32.add local.tee 6 br_if 0 end local.get 0 local.get 1 local.get 2 local.get 10
local.get 4 call 5 block local.get 9 i32.eqz br_if 0 local.get 8 local.get 7 call 72 end local.get 5
i32.const 16 i32.add global.set 0)
(func (type 2) (param i32 i32) (local i32) block local.get 1 br_if 0 local.get 0 i64.const 0
i64.store align=4 return end block local.get 1 call 66 local.tee 2 i32.eqz br_if 0 local.get 0
local.get 2 i32.store offset=12 local.get 0 local.get 1 i32.store offset=8 local.get 0 i32.const 4
i32.store offset=4 local.get 0 local.get 2 i32.store return end i32.const 4 local.get 1 call 73
unreachable)
(func (type 18) (param i32 i32 f64) local.get 0 local.get 1 local.get 2 i32.const 0 i32.const 0 call
6)
(func (type 10) (param i32) (local i32 i64 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) global.get 0
i32.const 192 i32.sub local.tee 1 global.set 0 local.get 1 i32.const 32 i32.add i32.const 1048673
i32.const 13 call 70 local.get 1 i64.load offset=36 align=4 local.set 2 block block local.get 1
i32.load offset=32 local.tee 3 i32.const -2147483648 i32.eq br_if 0 local.get 0 local.get 2
i64.store offset=8 local.get 0 local.get 3 i32.store offset=4 local.get 0 i32.const 7 i32.store br 1
end local.get 1 local.get 2 i64.const 56 i64.shr_u i64.store8 offset=19 local.get 1 local.get 2
i64.const 48 i64.shr_u i64.store8 offset=18 local.get 1 local.get 2 i64.const 40 i64.shr_u
i64.store8 offset=17 local.get 1 local.get 2 i64.const 32 i64.shr_u i64.store8 offset=16 local.get 1
local.get 2 i64.const 24 i64.shr_u i64.store8 offset=15 local.get 1 local.get 2 i64.const 16
i64.shr_u i64.store8 offset=14 local.get 1 i32.const 14 i32.add local.set 3 i32.const 0 local.set 4
loop local.get 1 i32.const 32 i32.add local.get 3 i64.load8_u call 79 local.get 1 i32.const 120
i32.add local.get 4 i32.add local.tee 5 local.get 1 i32.load offset=40 i32.store offset=8 local.get
5 local.get 1 i64.load offset=32 align=4 i64.store align=4 local.get 3 i32.const 1 i32.add local.set
3 local.get 4 i32.const 12 i32.add local.tee 4 i32.const 72 i32.ne br_if 0 end local.get 1 i32.const
20 i32.add local.get 1 i32.const 120 i32.add i32.const 6 i32.const 32 call 80 i32.const 0 local.set
3 loop block local.get 1 i32.const 120 i32.add local.get 3 i32.add local.tee 4 i32.load local.tee 5
i32.eqz br_if 0 local.get 4 i32.const 4 i32.add i32.load local.get 5 call 60 end local.get 3
i32.const 12 i32.add local.tee 3 i32.const 72 i32.ne br_if 0 end local.get 1 i32.const 72 i32.add
call 7 call 79 local.get 1 i32.load offset=80 local.set 6 local.get 1 i32.load offset=76 local.set 3
local.get 1 i32.const 84 i32.add local.get 2 i64.extend16_s call 79 local.get 1 i32.load offset=28
local.set 7 local.get 1 i32.load offset=24 local.set 4 local.get 1 i32.load offset=92 local.set 8
local.get 1 i32.load offset=88 local.set 5 local.get 1 i32.const 108 i32.add i32.const 0 local.get 1
call 70 local.get 1 i64.load offset=112 align=4 local.set 2 block local.get 1 i32.load offset=108
local.tee 9 i32.const -2147483648 i32.eq br_if 0 local.get 0 local.get 2 i64.store offset=8
local.get 0 local.get 9 i32.store offset=4 local.get 0 i32.const 7 i32.store block local.get 1
i32.load offset=84 local.tee 0 i32.eqz br_if 0 local.get 5 local.get 0 call 60 end block local.get 1
i32.load offset=72 local.tee 5 i32.eqz br_if 0 local.get 3 local.get 5 call 60 end local.get 1
i32.load offset=20 local.tee 3 i32.eqz br_if 1 local.get 4 local.get 3 call 60 br 1 end local.get 1
i32.const 96 i32.add local.get 2 i64.extend16_s call 79 local.get 1 i32.load offset=104 local.set 10
local.get 1 i32.load offset=100 local.set 9 local.get 1 i32.const 108 i32.add i32.const 1048686
i32.const 7 call 70 block block local.get 1 i32.load offset=108 local.tee 11 i32.const -2147483648
i32.ne br_if 0 i32.const 1048700 local.set 11 i32.const 5 local.set 12 br 1 end block local.get 11
i32.eqz br_if 0 local.get 1 i32.load offset=112 local.get 11 call 60 end i32.const 7 local.set 12
i32.const 1048693 local.set 11 end local.get 1 local.get 12 i32.store offset=68 local.get 1
local.get 11 i32.store offset=64 local.get 1 local.get 10 i32.store offset=60 local.get 1 local.get
9 i32.store offset=56 local.get 1 local.get 7 i32.store offset=52 local.get 1 local.get 4 i32.store
offset=48 local.get 1 local.get 8 i32.store offset=44 local.get 1 local.get 5 i32.store offset=40
local.get 1 local.get 6 i32.store offset=36 local.get 1 local.get 3 i32.store offset=32 local.get 0
i32.const 4 i32.add local.get 1 i32.const 32 i32.add i32.const 5 i32.const 32 call 81 local.get 0
i32.const 403 i32.store16 offset=16 local.get 0 i32.const 2 i32.store block local.get 1 i32.load
offset=96 local.tee 0 i32.eqz br_if 0 local.get 9 local.get 0 call 60 end block local.get 1 i32.load
offset=84 local.tee 0 i32.eqz br_if 0 local.get 5 local.get 0 call 60 end block local.get 1 i32.load
offset=72 local.tee 5 i32.eqz br_if 0 local.get 3 local.get 5 call 60 end local.get 1 i32.load
offset=20 local.tee 3 i32.eqz br_if 0 local.get 4 local.get 3 call 60 end local.get 1 i32.const 192
i32.add global.set 0)
(func (type 19) (param i32 i64) (local i32 i32 i32 i64 i32) global.get 0 i32.const 16 i32.sub
local.tee 2 global.set 0 i32.const 0 local.set 3 local.get 2 i32.const 0 i32.store offset=12
local.get 2 i64.const 4294967296 i64.store offset=4 align=4 i32.const 1 local.set 4 loop local.get 1
local.get 1 i64.const 10 i64.div_u local.tee 5 i64.const 10 i64.mul i64.sub i32.wrap_i64 local.set 6
block local.get 3 local.get 2 i32.load offset=4 i32.ne br_if 0 local.get 2 i32.const 4 i32.add call
90 local.get 2 i32.load offset=8 local.set 4 end local.get 6 i32.const 48 i32.or local.set 6 block
local.get 3 i32.eqz br_if 0 local.get 3 i32.eqz br_if 0 local.get 4 i32.const 1 i32.add local.get 4
local.get 3 memory.copy end local.get 4 local.get 6 i32.store8 local.get 2 local.get 3 i32.const 1
i32.add local.tee 3 i32.store offset=12 local.get 1 i64.const 9 i64.gt_u local.set 6 local.get 5
local.set 1 local.get 6 br_if 0 end local.get 0 local.get 2 i32.const 4 i32.add call 85 local.get 2
i32.const 16 i32.add global.set 0)
(func (type 5) (param i32 i32 i32 i32) (local i32 i32 i32 i32 i32 i32 i32) global.get 0 i32.const 16
i32.sub local.tee 4 global.set 0 block block block block local.get 2 br_if 0 i32.const 1 local.set 5
i32.const 0 local.set 6 i32.const 0 local.set 7 br 1 end local.get 2 i32.const 12 i32.mul local.tee
6 i32.const -12 i32.add local.tee 8 i32.const 12 i32.div_u local.set 9 local.get 1 local.set 7 block
loop local.get 6 i32.eqz br_if 1 local.get 6 i32.const -12 i32.add local.set 6 local.get 7 i32.load
offset=8 local.set 10 local.get 7 i32.const 12 i32.add local.set 7 local.get 10 local.get 9 i32.add
local.tee 9 local.get 10 i32.ge_u br_if 0 end i32.const 1049060 i32.const 53 i32.const 1049116 call
93 unreachable end i32.const 0 local.set 6 block block local.get 9 i32.const 0 i32.lt_s br_if 0
i32.const 1 local.set 6 i32.const 0 local.set 7 local.get 9 i32.eqz br_if 1 local.get 9 local.set 7
local.get 9 call 66 local.tee 6 br_if 1 i32.const 1 local.set 6 end local.get 6 local.get 9 call 67
unreachable end local.get 4 i32.const 0 i32.store offset=12 local.get 4 local.get 6 i32.store
offset=8 local.get 4 local.get 7 i32.store offset=4 local.get 4 i32.const 4 i32.add local.get 1
i32.load offset=4 local.tee 6 local.get 6 local.get 1 i32.load offset=8 i32.add call 56 local.get 9
local.get 4 i32.load offset=12 local.tee 6 i32.sub local.set 10 local.get 4 i32.load offset=8
local.set 5 block local.get 2 i32.const 1 i32.eq br_if 0 local.get 1 i32.const 20 i32.add local.set
7 local.get 5 local.get 6 i32.add local.set 2 loop local.get 10 i32.eqz br_if 3 local.get 7
i32.const -4 i32.add i32.load local.set 1 local.get 7 i32.load local.set 6 local.get 2 local.get 3
i32.store8 local.get 10 i32.const -1 i32.add local.tee 10 local.get 6 i32.lt_u br_if 4 local.get 2
i32.const 1 i32.add local.set 2 block local.get 6 i32.eqz br_if 0 local.get 2 local.get 1 local.get
6 memory.copy end local.get 7 i32.const 12 i32.add local.set 7 local.get 10 local.get 6 i32.sub
local.set 10 local.get 2 local.get 6 i32.add local.set 2 local.get 8 i32.const -12 i32.add local.tee
8 br_if 0 end end local.get 9 local.get 10 i32.sub local.set 6 local.get 4 i32.load offset=4
local.set 7 end local.get 0 local.get 6 i32.store offset=8 local.get 0 local.get 5 i32.store
offset=4 local.get 0 local.get 7 i32.store local.get 4 i32.const 16 i32.add global.set 0 return end
i32.const 1048664 i32.const 19 i32.const 1049044 call 94 unreachable end i32.const 1048664 i32.const
19 i32.const 1049044 call 94 unreachable)
(func (type 5) (param i32 i32 i32 i32) (local i32 i32 i32 i32 i32 i32) global.get 0 i32.const 16
i32.sub local.tee 4 global.set 0 local.get 1 local.get 2 i32.const 3 i32.shl local.tee 5 i32.add
local.set 6 local.get 5 i32.const -8 i32.add i32.const 3 i32.shr_u local.set 7 local.get 1 local.set
8 block loop local.get 5 i32.eqz br_if 1 local.get 5 i32.const -8 i32.add local.set 5 local.get 8
i32.load offset=4 local.set 9 local.get 8 i32.const 8 i32.add local.set 8 local.get 9 local.get 7
i32.add local.tee 7 local.get 9 i32.ge_u br_if 0 end i32.const 1049060 i32.const 53 i32.const
1049116 call 93 unreachable end i32.const 0 local.set 5 block block local.get 7 i32.const 0 i32.lt_s
br_if 0 i32.const 1 local.set 5 i32.const 0 local.set 8 local.get 7 i32.eqz br_if 1 local.get 7
local.set 8 local.get 7 call 66 local.tee 5 br_if 1 i32.const 1 local.set 5 end local.get 5
local.get 7 call 67 unreachable end local.get 4 i32.const 0 i32.store offset=12 local.get 4
local.get 5 i32.store offset=8 local.get 4 local.get 8 i32.store offset=4 local.get 4 i32.const 4
i32.add local.get 1 i32.load local.tee 5 local.get 5 local.get 1 i32.load offset=4 i32.add call 56
local.get 7 local.get 4 i32.load offset=12 local.tee 5 i32.sub local.set 9 block block block
local.get 2 i32.const 1 i32.eq br_if 0 local.get 4 i32.load offset=8 local.get 5 i32.add local.set 2
local.get 1 i32.const 8 i32.add local.set 8 loop local.get 9 i32.eqz br_if 2 local.get 8 i32.const 4
i32.add i32.load local.set 5 local.get 8 i32.load local.set 1 local.get 2 local.get 3 i32.store8
local.get 9 i32.const -1 i32.add local.tee 9 local.get 5 i32.lt_u br_if 3 local.get 2 i32.const 1
i32.add local.set 2 block local.get 5 i32.eqz br_if 0 local.get 2 local.get 1 local.get 5
memory.copy end local.get 9 local.get 5 i32.sub local.set 9 local.get 2 local.get 5 i32.add
local.set 2 local.get 8 i32.const 8 i32.add local.tee 8 local.get 6 i32.ne br_if 0 end end local.get
0 local.get 4 i64.load offset=4 align=4 i64.store align=4 local.get 0 local.get 7 local.get 9
i32.sub i32.store offset=8 local.get 4 i32.const 16 i32.add global.set 0 return end i32.const
1048664 i32.const 19 i32.const 1049044 call 94 unreachable end i32.const 1048664 i32.const 19
i32.const 1049044 call 94 unreachable)
(func (type 10) (param i32) (local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) global.get 0
i32.const 320 i32.sub local.tee 1 global.set 0 local.get 1 i64.const 0 i64.store offset=152
local.get 1 i32.const 152 i32.add call 8 local.get 1 i32.load offset=152 local.tee 2 local.get 1
i32.load offset=156 local.tee 3 local.get 1 i32.const 152 i32.add call 9 block block local.get 1
i32.load8_u offset=152 br_if 0 i32.const 2 local.set 4 br 1 end local.get 1 i32.load8_u offset=180
i32.const 0 i32.ne local.set 4 local.get 1 i32.load offset=184 local.set 5 local.get 1 i32.load8_u
offset=188 local.set 6 local.get 1 i32.load offset=176 local.set 7 local.get 1 i32.load offset=172
local.set 8 local.get 1 i32.load offset=168 local.set 9 local.get 1 i32.load offset=164 local.set 10
local.get 1 i32.load offset=160 local.set 11 local.get 1 i32.load offset=156 local.set 12 end block
local.get 3 i32.eqz br_if 0 local.get 2 local.get 3 call 60 end block block block block i32.const 4
call 66 local.tee 3 i32.eqz br_if 0 local.get 3 i32.const 1953720684 i32.store align=1 local.get 1
i32.const 8 i32.add local.get 3 i32.const 4 call 71 local.get 3 i32.const 4 call 60 i32.const 5 call
66 local.tee 3 i32.eqz br_if 1 local.get 3 i32.const 0 i32.load8_u offset=1048719 i32.store8
offset=4 local.get 3 i32.const 0 i32.load offset=1048715 align=1 i32.store align=1 local.get 1
i32.const 248 i32.add local.tee 2 local.get 3 i32.const 5 call 71 local.get 3 i32.const 5 call 60
local.get 1 local.get 6 i32.store8 offset=196 local.get 1 local.get 7 i32.store offset=192 local.get
1 local.get 8 i32.store offset=188 local.get 1 local.get 7 i32.store offset=184 local.get 1
local.get 9 i32.store offset=180 local.get 1 local.get 10 i32.store offset=176 local.get 1 local.get
9 i32.store offset=172 local.get 1 local.get 11 i32.store offset=168 local.get 1 local.get 12
i32.store offset=164 local.get 1 local.get 11 i32.store offset=160 local.get 1 local.get 5 i32.store
offset=156 local.get 1 local.get 4 i32.store offset=152 local.get 1 i32.const 152 i32.add i32.const
48 i32.add local.tee 7 local.get 1 i32.const 8 i32.add i32.const 48 memory.copy local.get 1 i32.load
offset=200 local.set 3 block local.get 4 i32.const 2 i32.eq br_if 0 block local.get 3 i32.const 3
i32.eq br_if 0 local.get 1 i32.load offset=248 i32.const 3 i32.ne br_if 0 local.get 3 i32.const 2
i32.eq br_if 0 local.get 1 i32.load offset=252 br_if 0 local.get 1 i32.const 56 i32.add local.get 1
i32.const 152 i32.add i32.const 48 memory.copy local.get 1 i32.const 104 i32.add local.get 1
i32.const 8 i32.add i32.const 48 memory.copy local.get 2 call 58 local.get 1 i64.const 0 i64.store
offset=152 local.get 1 i32.const 152 i32.add call 10 local.get 1 i32.load offset=156 local.tee 10
i32.const 12 i32.mul local.set 3 block block local.get 10 i32.const 178956970 i32.le_u br_if 0
i32.const 0 local.set 1 br 1 end local.get 1 i32.load offset=152 local.set 12 i32.const 0 local.set
4 block local.get 3 br_if 0 i32.const 4 local.set 8 i32.const 0 local.set 7 br 6 end local.get 10
local.set 7 local.get 3 call 66 local.tee 8 br_if 5 i32.const 4 local.set 1 end local.get 1
local.get 3 call 67 unreachable end local.get 1 i32.const 152 i32.add call 59 end block block block
local.get 3 i32.const -2 i32.add br_table 2 0 1 end local.get 7 call 58 br 1 end local.get 7 call 59
end local.get 2 call 58 local.get 0 i32.const 4 i32.add i32.const 1048720 i32.const 1 i32.const 32
call 81 local.get 0 i32.const 403 i32.store16 offset=16 local.get 0 i32.const 2 i32.store br 3 end
i32.const 1 i32.const 4 call 67 unreachable end i32.const 1 i32.const 5 call 67 unreachable end
local.get 1 i32.const 0 i32.store offset=316 local.get 1 local.get 8 i32.store offset=312 local.get
1 local.get 7 i32.store offset=308 block local.get 10 i32.eqz br_if 0 i32.const 0 local.set 3
i32.const 8 local.set 7 local.get 12 local.set 4 loop local.get 4 i32.const 4 i32.add i32.load
local.set 9 local.get 4 i32.load local.set 6 block local.get 3 local.get 1 i32.load offset=308
i32.ne br_if 0 local.get 1 i32.const 308 i32.add call 68 local.get 1 i32.load offset=312 local.set 8
end local.get 8 local.get 7 i32.add local.tee 11 local.get 9 i32.store local.get 11 i32.const -4
i32.add local.get 6 i32.store local.get 11 i32.const -8 i32.add local.get 9 i32.store local.get 1
local.get 3 i32.const 1 i32.add local.tee 3 i32.store offset=316 local.get 7 i32.const 12 i32.add
local.set 7 local.get 4 i32.const 8 i32.add local.set 4 local.get 10 local.get 3 i32.ne br_if 0 end
local.get 12 local.get 10 i32.const 3 i32.shl call 60 local.get 10 local.set 4 end local.get 1
i32.const 296 i32.add local.get 1 i32.load offset=312 local.get 4 i32.const 43 call 80 local.get 1
i32.const 308 i32.add call 63 local.get 1 i32.const 7 i32.store offset=196 local.get 1 i32.const
1048693 i32.store offset=192 local.get 1 local.get 1 i64.load offset=92 align=4 i64.store offset=168
align=4 local.get 1 local.get 1 i64.load offset=68 align=4 i64.store offset=160 align=4 local.get 1
local.get 1 i32.load offset=304 i32.store offset=156 local.get 1 local.get 1 i32.load offset=300
local.tee 4 i32.store offset=152 local.get 1 i32.const 8 i32.const 6 local.get 1 i32.load8_u
offset=148 local.tee 3 select i32.store offset=188 local.get 1 i32.const 1048734 i32.const 1048728
local.get 3 select i32.store offset=184 local.get 1 i32.const 8 i32.const 6 local.get 1 i32.load8_u
offset=100 local.tee 3 select i32.store offset=180 local.get 1 i32.const 1048734 i32.const 1048728
local.get 3 select i32.store offset=176 local.get 0 i32.const 4 i32.add local.get 1 i32.const 152
i32.add i32.const 6 i32.const 32 call 81 local.get 0 i32.const 403 i32.store16 offset=16 local.get 0
i32.const 2 i32.store block local.get 1 i32.load offset=296 local.tee 3 i32.eqz br_if 0 local.get 4
local.get 3 call 60 end local.get 1 i32.const 104 i32.add call 59 local.get 1 i32.const 56 i32.add
call 59 end local.get 1 i32.const 320 i32.add global.set 0)
(func (type 10) (param i32) (local i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32) global.get 0
i32.const 80 i32.sub local.tee 1 global.set 0 i32.const 1048743 i32.const 6 i32.const 0 i32.const 0
i32.const 0 i32.const 1 i32.const 1048742 i32.const 1 i32.const 0 i64.const 0 local.get 1 i32.const
8 i32.add call 11 local.get 1 i32.load8_u offset=12 local.set 2 block block block block block block
block block block local.get 1 i32.load8_u offset=8 i32.eqz br_if 0 block block block block block
block local.get 2 br_table 5 1 2 3 0 end i32.const 4 local.set 2 br 3 end i32.const 1 local.set 2 br
3 end i32.const 2 local.set 2 br 2 end i32.const 3 local.set 2 end local.get 1 i32.load offset=20
local.set 3 local.get 1 i32.load offset=16 local.set 4 end local.get 1 local.get 3 i32.store
offset=76 local.get 1 local.get 4 i32.store offset=72 local.get 1 local.get 3 i32.store offset=68
local.get 1 local.get 2 i32.store offset=64 i32.const 15 call 66 local.tee 2 i32.eqz br_if 1
local.get 2 i32.const 0 i64.load offset=1048776 align=1 i64.store offset=7 align=1 local.get 2
i32.const 0 i64.load offset=1048769 align=1 i64.store align=1 local.get 1 i32.const 64 i32.add call
62 local.get 0 i32.const 15 i32.store offset=12 local.get 0 local.get 2 i32.store offset=8 local.get
0 i64.const 64424509447 i64.store br 8 end local.get 1 i32.const 8 i32.add i32.const 1048743
i32.const 6 i64.const 2 i64.const 1 call 74 block local.get 1 i32.load offset=8 i32.const 5 i32.eq
br_if 0 i32.const 15 call 66 local.tee 2 i32.eqz br_if 2 local.get 2 i32.const 0 i64.load
offset=1048776 align=1 i64.store offset=7 align=1 local.get 2 i32.const 0 i64.load offset=1048769
align=1 i64.store align=1 local.get 1 i32.const 8 i32.add call 62 local.get 0 local.get 2
i64.extend_i32_u i64.const 64424509440 i64.or i64.store offset=8 local.get 0 i64.const 64424509447
i64.store br 8 end local.get 1 i64.load offset=16 local.set 5 i32.const 4 local.set 3 i32.const
1048753 i32.const 4 i32.const 1048749 i32.const 4 i32.const 1 i64.const 1000 local.get 1 i32.const 8
i32.add call 12 block local.get 1 i32.load8_u offset=8 i32.eqz br_if 0 block block block block block
block local.get 1 i32.load8_u offset=12 local.tee 4 br_table 5 1 2 3 0 end i32.const 4 local.set 4
br 3 end i32.const 1 local.set 4 br 3 end i32.const 2 local.set 4 br 2 end i32.const 3 local.set 4
end local.get 1 i32.load offset=20 local.set 2 local.get 1 i32.load offset=16 local.set 3 end
local.get 1 local.get 2 i32.store offset=76 local.get 1 local.get 3 i32.store offset=72 local.get 1
local.get 2 i32.store offset=68 local.get 1 local.get 4 i32.store offset=64 i32.const 15 call 66
local.tee 2 i32.eqz br_if 3 local.get 2 i32.const 0 i64.load offset=1048776 align=1 i64.store
offset=7 align=1 local.get 2 i32.const 0 i64.load offset=1048769 align=1 i64.store align=1 local.get
1 i32.const 64 i32.add call 62 local.get 0 local.get 2 i64.extend_i32_u i64.const 64424509440 i64.or
i64.store offset=8 local.get 0 i64.const 64424509447 i64.store br 8 end local.get 1 i32.const 8
i32.add i32.const 1048753 i32.const 4 i64.const 1 i64.const 0 call 74 i32.const 1048784 local.set 6
i32.const 5 local.set 4 i32.const 1048715 local.set 7 block block block local.get 1 i32.load
offset=8 i32.const -2 i32.add br_table 0 1 1 2 1 end i32.const 12 local.set 4 i32.const 1048792
local.set 7 end local.get 1 i32.const 8 i32.add call 62 local.get 7 local.set 6 local.get 4
local.set 3 end i32.const 1048753 i32.const 4 local.get 1 i32.const 8 i32.add call 13 block
local.get 1 i32.load8_u offset=8 i32.eqz br_if 0 block block block block block block local.get 1
i32.load8_u offset=12 local.tee 4 br_table 5 1 2 3 0 end i32.const 4 local.set 4 br 3 end i32.const
1 local.set 4 br 3 end i32.const 2 local.set 4 br 2 end i32.const 3 local.set 4 end local.get 1
i32.load offset=20 local.set 2 local.get 1 i32.load offset=16 local.set 3 end local.get 1 local.get
2 i32.store offset=76 local.get 1 local.get 3 i32.store offset=72 local.get 1 local.get 2 i32.store
offset=68 local.get 1 local.get 4 i32.store offset=64 i32.const 15 call 66 local.tee 2 i32.eqz br_if
4 local.get 2 i32.const 0 i64.load offset=1048776 align=1 i64.store offset=7 align=1 local.get 2
i32.const 0 i64.load offset=1048769 align=1 i64.store align=1 local.get 1 i32.const 64 i32.add call
62 local.get 0 local.get 2 i64.extend_i32_u i64.const 64424509440 i64.or i64.store offset=8
local.get 0 i64.const 64424509447 i64.store br 8 end local.get 1 i32.const 52 i32.add local.get 5
call 79 local.get 1 i32.load offset=60 local.set 8 local.get 1 i32.load offset=56 local.set 4
local.get 1 i32.const 64 i32.add i32.const 1048753 i32.const 4 call 84 block local.get 1 i32.load
offset=64 i32.const 5 i32.eq br_if 0 i32.const 15 call 66 local.tee 2 i32.eqz br_if 5 local.get 2
i32.const 0 i64.load offset=1048776 align=1 i64.store offset=7 align=1 local.get 2 i32.const 0
i64.load offset=1048769 align=1 i64.store align=1 local.get 1 i32.const 64 i32.add call 62 local.get
0 i32.const 15 i32.store offset=12 local.get 0 local.get 2 i32.store offset=8 local.get 0 i64.const
64424509447 i64.store br 7 end local.get 1 i32.load offset=76 local.set 9 local.get 1 i32.load
offset=72 local.set 10 local.get 1 i32.load offset=68 local.set 7 local.get 1 i32.const 64 i32.add
i32.const 1048743 i32.const 6 call 84 block local.get 1 i32.load offset=64 i32.const 5 i32.eq br_if
0 i32.const 15 call 66 local.tee 2 i32.eqz br_if 6 local.get 2 i32.const 0 i64.load offset=1048776
align=1 i64.store offset=7 align=1 local.get 2 i32.const 0 i64.load offset=1048769 align=1 i64.store
align=1 local.get 1 i32.const 64 i32.add call 62 local.get 0 i32.const 15 i32.store offset=12
local.get 0 local.get 2 i32.store offset=8 local.get 0 i64.const 64424509447 i64.store local.get 7
i32.eqz br_if 7 local.get 10 local.get 7 call 60 br 7 end local.get 1 local.get 1 i32.load offset=76
i32.store offset=44 local.get 1 local.get 1 i32.load offset=72 local.tee 11 i32.store offset=40
local.get 1 local.get 9 i32.store offset=36 local.get 1 local.get 10 i32.store offset=32 local.get 1
local.get 3 i32.store offset=28 local.get 1 local.get 6 i32.store offset=24 local.get 1 local.get 8
i32.store offset=20 local.get 1 local.get 4 i32.store offset=16 local.get 1 i32.const 7 i32.const 5
local.get 2 select i32.store offset=12 local.get 1 i32.const 1048762 i32.const 1048757 local.get 2
select i32.store offset=8 local.get 1 i32.load offset=68 local.set 2 local.get 0 i32.const 4 i32.add
local.get 1 i32.const 8 i32.add i32.const 5 i32.const 32 call 81 local.get 0 i32.const 403
i32.store16 offset=16 local.get 0 i32.const 2 i32.store block local.get 2 i32.eqz br_if 0 local.get
11 local.get 2 call 60 end block local.get 7 i32.eqz br_if 0 local.get 10 local.get 7 call 60 end
local.get 1 i32.load offset=52 local.tee 0 i32.eqz br_if 7 local.get 4 local.get 0 call 60 br 7 end
i32.const 1 i32.const 15 call 67 unreachable end i32.const 1 i32.const 15 call 67 unreachable end
i32.const 1 i32.const 15 call 67 unreachable end i32.const 1 i32.const 15 call 67 unreachable end
i32.const 1 i32.const 15 call 67 unreachable end i32.const 1 i32.const 15 call 67 unreachable end
local.get 1 i32.load offset=52 local.tee 0 i32.eqz br_if 0 local.get 4 local.get 0 call 60 end
local.get 1 i32.const 80 i32.add global.set 0)
(func (type 3) (param i32 i32 i32) (local i32 i32 i64) global.get 0 i32.const 32 i32.sub local.tee 3
global.set 0 local.get 1 local.get 2 local.get 3 i32.const 16 i32.add call 14 local.get 3
i32.load8_u offset=20 local.set 2 block block block block block local.get 3 i32.load8_u offset=16
br_if 0 local.get 2 br_if 1 i32.const -2147483648 local.set 2 br 2 end block block block block block
block local.get 2 br_table 5 1 2 3 0 end i32.const 4 local.set 2 br 3 end i32.const 1 local.set 2 br
3 end i32.const 2 local.set 2 br 2 end i32.const 3 local.set 2 end local.get 3 i32.load offset=28
local.set 1 local.get 3 i32.load offset=24 local.set 4 end local.get 3 local.get 1 i32.store
offset=4 local.get 3 local.get 2 i32.store local.get 3 local.get 1 i32.store offset=12 local.get 3
local.get 4 i32.store offset=8 local.get 0 local.get 3 i64.load offset=8 align=4 i64.store offset=8
align=4 local.get 0 local.get 3 i64.load align=4 i64.store align=4 br 2 end local.get 3 i32.load
offset=28 local.tee 2 i64.extend_i32_u i64.const 32 i64.shl local.get 3 i64.load32_u offset=24
i64.or local.set 5 end local.get 3 local.get 5 i64.store offset=8 align=4 local.get 3 local.get 2
i32.store offset=4 local.get 3 i32.const 5 i32.store i32.const 4 call 66 local.tee 1 i32.eqz br_if 1
local.get 1 i32.const 1701736302 i32.store align=1 block block local.get 2 i32.const -2147483648
i32.eq br_if 0 local.get 3 i32.const 16 i32.add local.get 3 i32.const 4 i32.add call 85 local.get 1
i32.const 4 call 60 br 1 end local.get 3 i32.const 4 i32.store offset=24 local.get 3 local.get 1
i32.store offset=20 local.get 3 i32.const 4 i32.store offset=16 end local.get 0 local.get 3 i32.load
offset=24 i32.store offset=12 local.get 0 local.get 3 i64.load offset=16 align=4 i64.store offset=4
align=4 local.get 0 i32.const 5 i32.store end local.get 3 i32.const 32 i32.add global.set 0 return
end i32.const 1 i32.const 4 call 67 unreachable)
(func (type 2) (param i32 i32) (local i32 i32 i32 i32 i32 i32 i32 i32) local.get 1 i32.load offset=4
local.set 2 block block local.get 1 i32.load offset=8 local.tee 3 i32.eqz br_if 0 i32.const 0
local.get 3 i32.const -7 i32.add local.tee 4 local.get 4 local.get 3 i32.gt_u select local.set 5
local.get 2 i32.const 3 i32.add i32.const -4 i32.and local.get 2 i32.sub local.set 6 i32.const 0
local.set 4 loop block block block block local.get 2 local.get 4 i32.add i32.load8_u local.tee 7
i32.extend8_s local.tee 8 i32.const 0 i32.lt_s br_if 0 local.get 6 local.get 4 i32.sub i32.const 3
i32.and br_if 1 local.get 4 local.get 5 i32.ge_u br_if 2 loop local.get 2 local.get 4 i32.add
local.tee 7 i32.const 4 i32.add i32.load local.get 7 i32.load i32.or i32.const -2139062144 i32.and
br_if 3 local.get 4 i32.const 8 i32.add local.tee 4 local.get 5 i32.lt_u br_if 0 br 3 end end block
block block block block block block block local.get 7 i32.load8_u offset=1049464 i32.const -2
i32.add br_table 2 0 1 7 end local.get 4 i32.const 1 i32.add local.tee 9 local.get 3 i32.ge_u br_if
6 local.get 2 local.get 9 i32.add i32.load8_s local.set 9 block block local.get 7 i32.const 224
i32.eq br_if 0 local.get 7 i32.const 237 i32.eq br_if 1 local.get 8 i32.const 31 i32.add i32.const
255 i32.and i32.const 12 i32.lt_u br_if 4 local.get 8 i32.const -2 i32.and i32.const -18 i32.ne
br_if 8 local.get 9 i32.const -64 i32.lt_s br_if 5 br 8 end local.get 9 i32.const -32 i32.and
i32.const -96 i32.eq br_if 4 br 7 end local.get 9 i32.const -97 i32.gt_s br_if 6 br 3 end local.get
4 i32.const 1 i32.add local.tee 9 local.get 3 i32.ge_u br_if 5 local.get 2 local.get 9 i32.add
i32.load8_s local.set 9 block block block block local.get 7 i32.const -240 i32.add br_table 1 0 0 0
2 0 end local.get 8 i32.const 15 i32.add i32.const 255 i32.and i32.const 2 i32.gt_u br_if 8
local.get 9 i32.const -64 i32.lt_s br_if 2 br 8 end local.get 9 i32.const 112 i32.add i32.const 255
i32.and i32.const 48 i32.lt_u br_if 1 br 7 end local.get 9 i32.const -113 i32.gt_s br_if 6 end
local.get 4 i32.const 2 i32.add local.tee 7 local.get 3 i32.ge_u br_if 5 local.get 2 local.get 7
i32.add i32.load8_s i32.const -65 i32.gt_s br_if 5 local.get 4 i32.const 3 i32.add local.tee 7
local.get 3 i32.ge_u br_if 5 local.get 2 local.get 7 i32.add i32.load8_s i32.const -65 i32.le_s
br_if 4 br 5 end local.get 4 i32.const 1 i32.add local.tee 7 local.get 3 i32.lt_u br_if 2 br 4 end
local.get 9 i32.const -64 i32.ge_s br_if 3 end local.get 4 i32.const 2 i32.add local.tee 7 local.get
3 i32.ge_u br_if 2 local.get 2 local.get 7 i32.add i32.load8_s i32.const -65 i32.le_s br_if 1 br 2
end local.get 2 local.get 7 i32.add i32.load8_s i32.const -65 i32.gt_s br_if 1 end local.get 7
i32.const 1 i32.add local.set 4 br 3 end block local.get 1 i32.load local.tee 7 i32.const
-2147483648 i32.ne br_if 0 local.get 2 local.set 7 local.get 3 local.set 2 local.get 4 local.set 3
br 6 end local.get 0 i32.const 0 i32.store offset=8 local.get 0 i64.const 4294967296 i64.store
align=4 block local.get 7 i32.eqz br_if 0 local.get 2 local.get 7 call 60 end return end local.get 4
i32.const 1 i32.add local.set 4 br 1 end local.get 4 local.get 3 i32.ge_u br_if 0 loop local.get 2
local.get 4 i32.add i32.load8_s i32.const 0 i32.lt_s br_if 1 local.get 3 local.get 4 i32.const 1
i32.add local.tee 4 i32.ne br_if 0 br 3 end end local.get 4 local.get 3 i32.lt_u br_if 0 end end
local.get 1 i32.load local.set 7 end local.get 0 local.get 3 i32.store offset=8 local.get 0
local.get 2 i32.store offset=4 local.get 0 local.get 7 i32.store)
(func (type 2) (param i32 i32) (local i32 i32 i32 i32 i32 i32 i32 i32 i64) global.get 0 i32.const 16
i32.sub local.tee 2 global.set 0 block local.get 1 i32.const 2 i32.lt_u br_if 0 i32.const 0
local.set 3 i32.const 1 local.set 4 loop local.get 4 i32.const 1 i32.add local.set 4 local.get 3
local.set 5 block loop local.get 0 local.get 5 i32.add local.tee 6 i32.const 16 i32.add i32.load
local.get 6 i32.const 4 i32.add i32.load local.get 6 i32.const 20 i32.add i32.load local.tee 7
local.get 6 i32.const 8 i32.add i32.load local.tee 8 local.get 7 local.get 8 i32.lt_u select call
144 local.tee 9 local.get 7 local.get 8 i32.sub local.get 9 select i32.const 0 i32.ge_s br_if 1
local.get 6 i64.load align=4 local.set 10 local.get 6 local.get 6 i32.const 12 i32.add local.tee 7
i64.load align=4 i64.store align=4 local.get 7 local.get 10 i64.store align=4 local.get 6 i32.load
offset=8 local.set 8 local.get 6 local.get 7 i32.load offset=8 i32.store offset=8 local.get 7
local.get 8 i32.store offset=8 local.get 5 i32.const -12 i32.add local.tee 5 i32.const -12 i32.ne
br_if 0 end end local.get 3 i32.const 12 i32.add local.set 3 local.get 4 local.get 1 i32.ne br_if 0
end end local.get 2 i32.const 16 i32.add global.set 0)
(func (type 3) (param i32 i32 i32) (local i32 i32) block block local.get 1 i32.const -2147483644
i32.ne br_if 0 i32.const 4 local.set 3 i32.const 1048784 local.set 4 br 1 end local.get 1 i32.const
4 local.get 1 i32.const 0 i32.lt_s select i32.const 2 i32.shl local.tee 3 i32.const 1050116 i32.add
i32.load local.set 4 local.get 3 i32.const 1050096 i32.add i32.load local.set 3 local.get 1
i32.const -2147483644 i32.lt_s br_if 0 local.get 1 i32.eqz br_if 0 local.get 2 local.get 1 call 60
end local.get 0 local.get 3 i32.store offset=4 local.get 0 local.get 4 i32.store)
(func (type 15))
(func (type 2) (param i32 i32) (local i32 i32 i32 i32 i64 i32) local.get 1 i32.load offset=4
local.set 2 block block local.get 1 i32.load offset=8 local.tee 3 br_if 0 i32.const -2147483648
local.set 4 local.get 2 local.set 5 br 1 end local.get 2 i32.const 12 i32.add local.set 5 local.get
2 i64.load offset=4 align=4 local.set 6 local.get 2 i32.load local.set 4 end local.get 1 i32.load
local.set 7 block i32.const 4 call 66 local.tee 1 i32.eqz br_if 0 local.get 2 local.get 3 i32.const
12 i32.mul i32.add local.set 3 local.get 1 i32.const 1701736302 i32.store align=1 block block
local.get 4 i32.const -2147483648 i32.eq br_if 0 local.get 0 local.get 6 i64.store offset=4 align=4
local.get 1 i32.const 4 call 60 br 1 end i32.const 4 local.set 4 local.get 0 i32.const 4 i32.store
offset=8 local.get 0 local.get 1 i32.store offset=4 end local.get 0 local.get 4 i32.store local.get
3 local.get 5 i32.sub i32.const 12 i32.div_u local.set 1 block local.get 3 local.get 5 i32.eq br_if
0 loop block local.get 5 i32.load local.tee 0 i32.eqz br_if 0 local.get 5 i32.const 4 i32.add
i32.load local.get 0 call 60 end local.get 5 i32.const 12 i32.add local.set 5 local.get 1 i32.const
-1 i32.add local.tee 1 br_if 0 end end block local.get 7 i32.eqz br_if 0 local.get 2 local.get 7
i32.const 12 i32.mul call 60 end return end i32.const 1 i32.const 4 call 67 unreachable)
(func (type 10) (param i32) (local i32 i32 i32) global.get 0 i32.const 16 i32.sub local.tee 1
global.set 0 local.get 1 i32.const 4 i32.add local.get 0 i32.load local.tee 2 local.get 0 i32.load
offset=4 local.get 2 i32.const 1 i32.shl local.tee 2 i32.const 8 local.get 2 i32.const 8 i32.gt_u
select local.tee 2 call 108 block local.get 1 i32.load offset=4 i32.const 1 i32.ne br_if 0 local.get
1 i32.load offset=8 local.get 1 i32.load offset=12 call 67 unreachable end local.get 1 i32.load
offset=8 local.set 3 local.get 0 local.get 2 i32.store local.get 0 local.get 3 i32.store offset=4
local.get 1 i32.const 16 i32.add global.set 0)
(func (type 2) (param i32 i32) (local i32 i32) block block block local.get 1 i32.load local.tee 2
local.get 1 i32.load offset=8 local.tee 3 i32.gt_u br_if 0 local.get 1 i32.load offset=4 local.set 1
br 1 end local.get 1 i32.load offset=4 local.set 1 block local.get 3 br_if 0 local.get 1 local.get 2
call 60 i32.const 1 local.set 1 br 1 end local.get 1 local.get 2 i32.const 1 local.get 3 call 92
local.tee 1 i32.eqz br_if 1 end local.get 0 local.get 3 i32.store offset=4 local.get 0 local.get 1
i32.store return end i32.const 1 local.get 3 call 67 unreachable)
(func (type 20) (param i32 i32 i32 i32) (result i32) (local i32 i32 i32 i32 i32 i32) block block
block block block block block block block block local.get 0 i32.const -4 i32.add local.tee 4
i32.load local.tee 5 i32.const -8 i32.and local.tee 6 i32.const 4 i32.const 8 local.get 5 i32.const
3 i32.and local.tee 7 select local.get 1 i32.add i32.lt_u br_if 0 local.get 1 i32.const 39 i32.add
local.set 8 block local.get 7 i32.eqz br_if 0 local.get 6 local.get 8 i32.gt_u br_if 2 end block
block local.get 2 i32.const 9 i32.lt_u br_if 0 local.get 2 local.get 3 call 112 local.tee 2 br_if 1
i32.const 0 return end i32.const 0 local.set 2 local.get 3 i32.const -65588 i32.gt_u br_if 10
i32.const 16 local.get 3 i32.const 11 i32.add i32.const -8 i32.and local.get 3 i32.const 11 i32.lt_u
select local.set 1 local.get 0 i32.const -8 i32.add local.set 8 block local.get 7 br_if 0 local.get
1 i32.const 256 i32.lt_u br_if 9 local.get 8 i32.eqz br_if 9 local.get 6 local.get 1 i32.le_u br_if
9 local.get 6 local.get 1 i32.sub i32.const 131072 i32.le_u br_if 8 br 9 end local.get 8 local.get 6
i32.add local.set 7 block block local.get 6 local.get 1 i32.ge_u br_if 0 local.get 7 i32.const 0
i32.load offset=1050752 i32.eq br_if 1 block local.get 7 i32.const 0 i32.load offset=1050748 i32.eq
br_if 0 local.get 7 i32.load offset=4 local.tee 5 i32.const 2 i32.and br_if 11 local.get 5 i32.const
-8 i32.and local.tee 9 local.get 6 i32.add local.tee 5 local.get 1 i32.lt_u br_if 11 local.get 7
local.get 9 call 113 block local.get 5 local.get 1 i32.sub local.tee 7 i32.const 16 i32.lt_u br_if 0
local.get 4 local.get 1 local.get 4 i32.load i32.const 1 i32.and i32.or i32.const 2 i32.or i32.store
local.get 8 local.get 1 i32.add local.tee 1 local.get 7 i32.const 3 i32.or i32.store offset=4
local.get 8 local.get 5 i32.add local.tee 5 local.get 5 i32.load offset=4 i32.const 1 i32.or
i32.store offset=4 local.get 1 local.get 7 call 114 br 10 end local.get 4 local.get 5 local.get 4
i32.load i32.const 1 i32.and i32.or i32.const 2 i32.or i32.store local.get 8 local.get 5 i32.add
local.tee 1 local.get 1 i32.load offset=4 i32.const 1 i32.or i32.store offset=4 br 9 end i32.const 0
i32.load offset=1050740 local.get 6 i32.add local.tee 7 local.get 1 i32.lt_u br_if 10 block block
local.get 7 local.get 1 i32.sub local.tee 6 i32.const 15 i32.gt_u br_if 0 local.get 4 local.get 5
i32.const 1 i32.and local.get 7 i32.or i32.const 2 i32.or i32.store local.get 8 local.get 7 i32.add
local.tee 1 local.get 1 i32.load offset=4 i32.const 1 i32.or i32.store offset=4 i32.const 0
local.set 6 i32.const 0 local.set 1 br 1 end local.get 4 local.get 1 local.get 5 i32.const 1 i32.and
i32.or i32.const 2 i32.or i32.store local.get 8 local.get 1 i32.add local.tee 1 local.get 6
i32.const 1 i32.or i32.store offset=4 local.get 8 local.get 7 i32.add local.tee 7 local.get 6
i32.store local.get 7 local.get 7 i32.load offset=4 i32.const -2 i32.and i32.store offset=4 end
i32.const 0 local.get 1 i32.store offset=1050748 i32.const 0 local.get 6 i32.store offset=1050740 br
8 end local.get 6 local.get 1 i32.sub local.tee 6 i32.const 15 i32.le_u br_if 7 local.get 4
local.get 1 local.get 5 i32.const 1 i32.and i32.or i32.const 2 i32.or i32.store local.get 8
local.get 1 i32.add local.tee 1 local.get 6 i32.const 3 i32.or i32.store offset=4 local.get 7
local.get 7 i32.load offset=4 i32.const 1 i32.or i32.store offset=4 local.get 1 local.get 6 call 114
br 7 end i32.const 0 i32.load offset=1050744 local.get 6 i32.add local.tee 7 local.get 1 i32.gt_u
br_if 5 br 8 end block local.get 3 local.get 1 local.get 3 local.get 1 i32.lt_u select local.tee 3
i32.eqz br_if 0 local.get 2 local.get 0 local.get 3 memory.copy end local.get 4 i32.load local.tee 3
i32.const -8 i32.and local.tee 7 i32.const 4 i32.const 8 local.get 3 i32.const 3 i32.and local.tee 3
select local.get 1 i32.add i32.lt_u br_if 2 local.get 3 i32.eqz br_if 8 local.get 7 local.get 8
i32.gt_u br_if 3 br 8 end i32.const 1049832 i32.const 1049880 call 111 unreachable end i32.const
1049896 i32.const 1049944 call 111 unreachable end i32.const 1049832 i32.const 1049880 call 111
unreachable end i32.const 1049896 i32.const 1049944 call 111 unreachable end local.get 4 local.get 1
local.get 5 i32.const 1 i32.and i32.or i32.const 2 i32.or i32.store local.get 8 local.get 1 i32.add
local.tee 5 local.get 7 local.get 1 i32.sub local.tee 1 i32.const 1 i32.or i32.store offset=4
i32.const 0 local.get 1 i32.store offset=1050744 i32.const 0 local.get 5 i32.store offset=1050752
end local.get 8 i32.eqz br_if 1 end local.get 0 return end local.get 3 call 66 local.tee 1 i32.eqz
br_if 1 block local.get 3 i32.const -4 i32.const -8 local.get 4 i32.load local.tee 2 i32.const 3
i32.and select local.get 2 i32.const -8 i32.and i32.add local.tee 2 local.get 3 local.get 2 i32.lt_u
select local.tee 3 i32.eqz br_if 0 local.get 1 local.get 0 local.get 3 memory.copy end local.get 1
local.set 2 end local.get 0 call 110 end local.get 2)
(func (type 3) (param i32 i32 i32) (local i32) global.get 0 i32.const 16 i32.sub local.tee 3
global.set 0 local.get 3 local.get 1 i32.store offset=4 local.get 3 local.get 0 i32.store local.get
3 i32.const 1 i64.extend_i32_u i64.const 32 i64.shl local.get 3 i64.extend_i32_u i64.or i64.store
offset=8 i32.const 1048833 local.get 3 i32.const 8 i32.add local.get 2 call 94 unreachable)
(func (type 3) (param i32 i32 i32) (local i32) global.get 0 i32.const 32 i32.sub local.tee 3
global.set 0 local.get 3 local.get 1 i32.store offset=16 local.get 3 local.get 0 i32.store offset=12
local.get 3 i32.const 1 i32.store16 offset=28 local.get 3 local.get 2 i32.store offset=24 local.get
3 local.get 3 i32.const 12 i32.add i32.store offset=20 local.get 3 i32.const 20 i32.add call 116
unreachable)
(func (type 21) (param i32 i32 i32 i32 i32 i32) (local i32) global.get 0 i32.const 16 i32.sub
local.tee 6 global.set 0 block block block local.get 3 local.get 2 i32.add local.tee 2 local.get 3
i32.ge_u br_if 0 i32.const 0 local.set 3 br 1 end local.get 6 i32.const 4 i32.add local.get 1
i32.load local.tee 3 local.get 1 i32.load offset=4 local.get 2 local.get 3 i32.const 1 i32.shl
local.tee 3 local.get 2 local.get 3 i32.gt_u select local.tee 3 i32.const 8 i32.const 4 local.get 5
i32.const 1 i32.eq select local.tee 2 local.get 3 local.get 2 i32.gt_u select local.tee 3 local.get
4 local.get 5 call 97 block local.get 6 i32.load offset=4 i32.const 1 i32.ne br_if 0 local.get 6
i32.load offset=12 local.set 2 local.get 6 i32.load offset=8 local.set 3 br 2 end local.get 6
i32.load offset=8 local.set 2 local.get 1 local.get 3 i32.store local.get 1 local.get 2 i32.store
offset=4 i32.const -2147483647 local.set 3 end end local.get 0 local.get 2 i32.store offset=4
local.get 0 local.get 3 i32.store local.get 6 i32.const 16 i32.add global.set 0)
(func (type 10) (param i32) (local i32) global.get 0 i32.const 16 i32.sub local.tee 1 global.set 0
local.get 1 i32.const 8 i32.add local.get 0 local.get 0 i32.load i32.const 1 i32.const 4 i32.const
24 call 95 block local.get 1 i32.load offset=8 local.tee 0 i32.const -2147483647 i32.eq br_if 0
local.get 0 local.get 1 i32.load offset=12 call 67 unreachable end local.get 1 i32.const 16 i32.add
global.set 0)
(func (type 21) (param i32 i32 i32 i32 i32 i32) (local i32 i32 i64) i32.const 1 local.set 6
i32.const 4 local.set 7 block block local.get 5 i64.extend_i32_u local.get 3 i64.extend_i32_u
i64.mul local.tee 8 i64.const 32 i64.shr_u i32.wrap_i64 br_if 0 local.get 8 i32.wrap_i64 local.tee 3
i32.const -2147483648 local.get 4 i32.sub i32.gt_u br_if 0 block block block block local.get 1
i32.eqz br_if 0 local.get 2 local.get 1 local.get 5 i32.mul local.get 4 local.get 3 call 92
local.set 7 br 1 end block local.get 3 br_if 0 local.get 4 local.set 7 br 2 end local.get 3 call 66
local.set 7 end local.get 7 br_if 0 local.get 0 local.get 4 i32.store offset=4 br 1 end local.get 0
local.get 7 i32.store offset=4 i32.const 0 local.set 6 end i32.const 8 local.set 7 br 1 end
i32.const 0 local.set 3 end local.get 0 local.get 7 i32.add local.get 3 i32.store local.get 0
local.get 6 i32.store)
(func (type 10) (param i32) (local i32) block local.get 0 i32.load8_u i32.eqz br_if 0 local.get 0
i32.load offset=8 local.tee 1 i32.eqz br_if 0 local.get 0 i32.load offset=4 local.get 1 call 60 end)
(func (type 10) (param i32) (local i32 i32) block block block block block block local.get 0
i32.load8_u br_if 0 local.get 0 i32.load8_u offset=8 br_table 5 5 2 2 3 5 1 end local.get 0 i32.load
offset=12 local.tee 1 i32.eqz br_if 4 i32.const 8 local.set 2 br 3 end local.get 0 i32.load
offset=20 local.tee 1 i32.eqz br_if 3 i32.const 16 local.set 2 br 2 end local.get 0 i32.load
offset=24 local.tee 1 i32.eqz br_if 2 i32.const 20 local.set 2 br 1 end block local.get 0 i32.load
offset=24 local.tee 1 i32.eqz br_if 0 local.get 0 i32.load offset=20 local.get 1 call 60 end
local.get 0 i32.load offset=32 local.tee 1 i32.eqz br_if 1 i32.const 28 local.set 2 end local.get 0
local.get 2 i32.add i32.load local.get 1 call 60 end)
(func (type 10) (param i32) (local i32) block local.get 0 i32.load8_u i32.eqz br_if 0 local.get 0
i32.load offset=12 local.tee 1 i32.eqz br_if 0 local.get 0 i32.load offset=8 local.get 1 call 60
end)
(func (type 13) (result i32) (local i32 i32 i32 i32 i32 i32 i32 i32) global.get 0 i32.const 96
i32.sub local.tee 0 global.set 0 block i32.const 0 i32.load8_u offset=1050777 br_if 0 call 55
i32.const 0 i32.const 1 i32.store8 offset=1050777 end local.get 0 i64.const 0 i64.store offset=8
local.get 0 i32.const 8 i32.add call 15 local.get 0 i32.load offset=12 local.set 1 local.get 0
i32.load offset=8 local.set 2 block block block block block i32.const 3 call 66 local.tee 3 i32.eqz
br_if 0 local.get 3 i32.const 0 i32.load8_u offset=1049404 i32.store8 offset=2 local.get 3 i32.const
0 i32.load16_u offset=1049402 align=1 i32.store16 align=1 local.get 0 i32.const 0 i32.store offset=8
local.get 0 i32.const 8 i32.add call 16 block block local.get 0 i32.load8_u offset=8 i32.eqz br_if 0
local.get 0 i32.const 84 i32.add local.get 0 i64.load16_u offset=10 call 79 br 1 end i32.const 4
call 66 local.tee 4 i32.eqz br_if 2 local.get 4 i32.const 1701736302 i32.store align=1 local.get 0
i32.const 4 i32.store offset=92 local.get 0 local.get 4 i32.store offset=88 local.get 0 i32.const 4
i32.store offset=84 end i32.const 6 call 66 local.tee 4 i32.eqz br_if 2 local.get 4 i32.const 0
i32.load16_u offset=1049409 align=1 i32.store16 offset=4 align=1 local.get 4 i32.const 0 i32.load
offset=1049405 align=1 i32.store align=1 i32.const 1049151 i32.const 4 local.get 0 i32.const 8
i32.add call 17 block block local.get 0 i32.load8_u offset=8 i32.eqz br_if 0 local.get 0 i32.load
offset=16 local.tee 5 i32.const -2147483648 i32.eq br_if 0 local.get 0 i32.load offset=12 local.set
6 br 1 end i32.const 4 local.set 5 i32.const 4 call 66 local.tee 6 i32.eqz br_if 4 local.get 6
i32.const 1701736302 i32.store align=1 end i32.const 4 call 66 local.tee 7 i32.eqz br_if 4 local.get
7 i32.const 1953722216 i32.store align=1 local.get 0 i32.const 6 i32.store offset=40 local.get 0
local.get 4 i32.store offset=36 local.get 0 i32.const 6 i32.store offset=32 local.get 0 local.get 1
i32.store offset=28 local.get 0 local.get 2 i32.store offset=24 local.get 0 local.get 1 i32.store
offset=20 local.get 0 i32.const 3 i32.store offset=16 local.get 0 local.get 3 i32.store offset=12
local.get 0 i32.const 3 i32.store offset=8 local.get 0 local.get 0 i64.load offset=84 align=4
i64.store offset=44 align=4 local.get 0 local.get 0 i32.load offset=92 i32.store offset=52 local.get
0 local.get 5 i32.store offset=76 local.get 0 local.get 6 i32.store offset=72 local.get 0 local.get
5 i32.store offset=68 local.get 0 i32.const 4 i32.store offset=64 local.get 0 local.get 7 i32.store
offset=60 local.get 0 i32.const 4 i32.store offset=56 i32.const 1049411 i32.const 5 call 18 call 19
i64.add local.get 0 i32.const 8 i32.add i32.const 3 call 75 i32.const 1049416 i32.const 7 call 20
f64.convert_i64_u f64.const 0x1.f4p+9 f64.div call 77 i32.const 0 local.set 3 loop local.get 0
i32.const 8 i32.add local.get 3 i32.add call 61 local.get 3 i32.const 24 i32.add local.tee 3
i32.const 72 i32.ne br_if 0 end i32.const 0 i32.const 0 i32.store8 offset=1050216 local.get 0
i32.const 96 i32.add global.set 0 i32.const 1050216 return end i32.const 1 i32.const 3 call 67
unreachable end i32.const 1 i32.const 4 call 67 unreachable end i32.const 1 i32.const 6 call 67
unreachable end i32.const 1 i32.const 4 call 67 unreachable end i32.const 1 i32.const 4 call 67
unreachable)
(func (type 0) (param i32 i32 i32) (result i32) (local i32 i32 i32 i32 i32 i32 i32 i64 i64 i32 i32
i32 i32 i32 i32 i32) global.get 0 i32.const 208 i32.sub local.tee 3 global.set 0 block i32.const 0
i32.load8_u offset=1050777 br_if 0 call 55 i32.const 0 i32.const 1 i32.store8 offset=1050777 end
local.get 3 i32.const 96 i32.add local.get 2 i32.const 65535 i32.and i64.extend_i32_u call 79
local.get 3 local.get 1 i32.store offset=156 local.get 3 local.get 0 i32.store offset=152 local.get
3 local.get 3 i32.load offset=104 i32.store offset=164 local.get 3 local.get 3 i32.load offset=100
local.tee 2 i32.store offset=160 local.get 3 i32.const 48 i32.add local.get 3 i32.const 152 i32.add
i32.const 2 i32.const 58 call 81 i32.const 1049151 i32.const 4 local.get 3 i32.load offset=52
local.tee 4 local.get 3 i32.load offset=56 call 21 block local.get 3 i32.load offset=48 local.tee 5
i32.eqz br_if 0 local.get 4 local.get 5 call 60 end block local.get 3 i32.load offset=96 local.tee 4
i32.eqz br_if 0 local.get 2 local.get 4 call 60 end i32.const 0 local.set 6 block block loop
local.get 0 local.get 6 i32.add local.set 5 block block local.get 1 local.get 6 i32.sub local.tee 7
i32.const 7 i32.gt_u br_if 0 local.get 1 local.get 6 i32.eq br_if 3 i32.const 0 local.set 2 loop
local.get 5 local.get 2 i32.add i32.load8_u i32.const 46 i32.eq br_if 2 local.get 7 local.get 2
i32.const 1 i32.add local.tee 2 i32.ne br_if 0 br 4 end end block block block local.get 5 i32.const
3 i32.add i32.const -4 i32.and local.tee 2 local.get 5 i32.eq br_if 0 local.get 2 local.get 5
i32.sub local.set 4 i32.const 0 local.set 2 loop local.get 5 local.get 2 i32.add i32.load8_u
i32.const 46 i32.eq br_if 4 local.get 4 local.get 2 i32.const 1 i32.add local.tee 2 i32.ne br_if 0
end local.get 4 local.get 7 i32.const -8 i32.add local.tee 8 i32.gt_u br_if 2 br 1 end local.get 7
i32.const -8 i32.add local.set 8 i32.const 0 local.set 4 end loop i32.const 16843008 local.get 5
local.get 4 i32.add local.tee 2 i32.load local.tee 9 i32.const 774778414 i32.xor i32.sub local.get 9
i32.or i32.const 16843008 local.get 2 i32.const 4 i32.add i32.load local.tee 2 i32.const 774778414
i32.xor i32.sub local.get 2 i32.or i32.and i32.const -2139062144 i32.and i32.const -2139062144
i32.ne br_if 1 local.get 4 i32.const 8 i32.add local.tee 4 local.get 8 i32.le_u br_if 0 end end
local.get 7 local.get 4 i32.eq br_if 2 local.get 5 local.get 4 i32.add local.set 5 local.get 1
local.get 4 i32.sub local.get 6 i32.sub local.set 9 i32.const 0 local.set 2 block loop local.get 5
local.get 2 i32.add i32.load8_u i32.const 46 i32.eq br_if 1 local.get 9 local.get 2 i32.const 1
i32.add local.tee 2 i32.eq br_if 4 br 0 end end local.get 2 local.get 4 i32.add local.set 2 end
block local.get 2 local.get 6 i32.add local.tee 2 local.get 1 i32.ge_u br_if 0 local.get 0 local.get
2 i32.add i32.load8_u i32.const 46 i32.eq br_if 3 end local.get 1 local.get 2 i32.const 1 i32.add
local.tee 6 i32.ge_u br_if 0 end end local.get 1 local.set 2 end block block block block block block
block block block block block block block block block block block block block block block block
block block block block block block block block local.get 2 i32.const -3 i32.add br_table 10 2 1 8 9
0 20 end local.get 0 i64.load align=1 i64.const 8386658473162859890 i64.eq br_if 25 local.get 0
i64.load align=1 i64.const 7306930285074151525 i64.ne br_if 19 local.get 3 i64.const 0 i64.store
offset=152 local.get 3 i32.const 152 i32.add call 22 block local.get 3 i32.load offset=156 local.tee
2 i32.eqz br_if 0 local.get 3 i32.load offset=152 local.get 2 call 60 end call 23 local.set 10 call
7 local.set 11 local.get 3 i64.const 0 i64.store offset=152 local.get 3 i32.const 152 i32.add call 8
local.get 3 i32.load offset=156 local.set 4 local.get 3 i32.load offset=152 local.set 6 local.get 3
i32.const 96 i32.add call 24 i32.const 65535 i32.and i64.extend_i32_u call 79 local.get 3 i32.load
offset=104 local.set 12 local.get 3 i32.load offset=100 local.set 13 local.get 3 i64.const 0
i64.store offset=152 local.get 3 i32.const 152 i32.add call 25 local.get 3 i32.load offset=156
local.set 5 local.get 3 i32.load offset=152 local.set 14 local.get 3 i64.const 0 i64.store
offset=152 local.get 3 i32.const 152 i32.add call 26 local.get 3 i32.load offset=156 local.set 9
local.get 3 i32.load offset=152 local.set 15 local.get 3 i32.const 152 i32.add call 27 local.get 3
i32.load8_u offset=152 local.set 16 local.get 3 i32.load offset=156 local.set 7 local.get 3 i32.load
offset=160 local.set 2 i32.const 4 call 66 local.tee 8 i32.eqz br_if 13 i32.const 1048810 i32.const
1048804 local.get 10 local.get 11 i64.gt_u local.tee 17 select local.set 18 i32.const 5 i32.const 6
local.get 17 select local.set 17 local.get 8 i32.const 1701736302 i32.store align=1 local.get 16
i32.const 255 i32.and br_if 4 br 22 end local.get 0 i32.load align=1 i32.const 1869376609 i32.xor
local.get 0 i32.const 4 i32.add local.tee 2 i32.load8_u i32.const 119 i32.xor i32.or i32.eqz br_if
26 local.get 0 i32.load align=1 i32.const 1668246626 i32.xor local.get 2 i32.load8_u i32.const 107
i32.xor i32.or i32.eqz br_if 1 local.get 0 i32.load align=1 i32.const 1869771365 i32.xor local.get 0
i32.const 4 i32.add local.tee 2 i32.load8_u i32.const 114 i32.xor i32.or i32.eqz br_if 2 local.get 0
i32.load align=1 i32.const 1684366694 i32.xor local.get 2 i32.load8_u i32.const 115 i32.xor i32.or
i32.eqz br_if 4 local.get 0 i32.load align=1 i32.const 1952543859 i32.xor local.get 0 i32.const 4
i32.add local.tee 2 i32.load8_u i32.const 101 i32.xor i32.or i32.eqz br_if 5 local.get 0 i32.load
align=1 i32.const 1668246627 i32.xor local.get 2 i32.load8_u i32.const 107 i32.xor i32.or br_if 18
local.get 3 i32.const 48 i32.add call 78 br 27 end local.get 0 i32.load align=1 i32.const 1886351972
i32.eq br_if 24 local.get 0 i32.load align=1 i32.const 1885693291 i32.ne br_if 17 local.get 3
i32.const 152 i32.add call 28 block local.get 3 i32.load8_u offset=152 i32.eqz br_if 0 local.get 3
i32.load offset=160 local.tee 2 i32.const -2147483648 i32.or i32.const -2147483648 i32.eq br_if 0
local.get 3 i32.load offset=156 local.get 2 call 60 end i64.const 1000 call 29 local.get 3 i32.const
0 i32.store offset=48 br 26 end i32.const 1049286 i32.const 6 i32.const 1049283 i32.const 3
local.get 3 i32.const 152 i32.add call 30 block local.get 3 i32.load8_u offset=152 i32.eqz br_if 0
local.get 3 i32.load8_u offset=156 i32.const 3 i32.le_u br_if 0 local.get 3 i32.load offset=164
local.tee 2 i32.const -2147483643 i32.lt_s br_if 0 local.get 2 i32.eqz br_if 0 local.get 3 i32.load
offset=160 local.get 2 call 60 end i64.const 60000 call 31 i32.const 1049292 i32.const 6 call 32
local.get 3 i32.const 48 i32.add i32.const 4 i32.or i32.const 1049304 i32.const 1 i32.const 32 call
81 local.get 3 i32.const 403 i32.store16 offset=64 local.get 3 i32.const 2 i32.store offset=48 br 25
end i32.const 9 call 66 local.tee 2 i32.eqz br_if 8 local.get 2 i32.const 0 i32.load8_u
offset=1049282 i32.store8 offset=8 local.get 2 i32.const 0 i64.load offset=1049274 align=1 i64.store
align=1 local.get 3 i32.const 9 i32.store offset=60 local.get 3 local.get 2 i32.store offset=56
local.get 3 i64.const 38654705671 i64.store offset=48 br 24 end local.get 2 i32.const -2147483648
i32.eq br_if 17 local.get 8 i32.const 4 call 60 br 18 end local.get 3 i32.const 48 i32.add call 82
br 22 end local.get 3 i32.const 48 i32.add call 83 br 21 end local.get 0 i32.load align=1 i32.const
1701407843 i32.xor local.get 0 i32.const 4 i32.add local.tee 2 i32.load16_u align=1 i32.const 29806
i32.xor i32.or i32.eqz br_if 12 local.get 0 i32.load align=1 i32.const 1684955506 i32.xor local.get
2 i32.load16_u align=1 i32.const 28015 i32.xor i32.or br_if 11 call 33 local.set 10 call 33
local.set 11 local.get 3 i64.const 0 i64.store offset=152 i32.const 4 local.get 3 i32.const 152
i32.add call 34 local.get 3 i32.load offset=152 local.set 5 local.get 3 i32.const 96 i32.add
local.get 3 i32.load offset=156 local.tee 2 i64.extend_i32_u call 79 local.get 3 i32.const 4
i32.const 5 local.get 10 local.get 11 i64.eq local.tee 4 select i32.store offset=156 local.get 3
i32.const 1049270 i32.const 1048715 local.get 4 select i32.store offset=152 local.get 3 local.get 3
i32.load offset=104 i32.store offset=164 local.get 3 local.get 3 i32.load offset=100 local.tee 4
i32.store offset=160 local.get 3 i32.const 48 i32.add i32.const 4 i32.or local.get 3 i32.const 152
i32.add i32.const 2 i32.const 32 call 81 local.get 3 i32.const 403 i32.store16 offset=64 local.get 3
i32.const 2 i32.store offset=48 block local.get 3 i32.load offset=96 local.tee 9 i32.eqz br_if 0
local.get 4 local.get 9 call 60 end local.get 2 i32.eqz br_if 20 local.get 5 local.get 2 call 60 br
20 end local.get 0 i32.load align=1 i32.const 1819305330 i32.xor local.get 0 i32.const 3 i32.add
local.tee 2 i32.load align=1 i32.const 1701011820 i32.xor i32.or i32.eqz br_if 15 local.get 0
i32.load align=1 i32.const 1634561892 i32.xor local.get 2 i32.load align=1 i32.const 1936615777
i32.xor i32.or i32.eqz br_if 1 local.get 0 i32.load align=1 i32.const 1920230765 i32.xor local.get 0
i32.const 3 i32.add i32.load align=1 i32.const 1935894898 i32.xor i32.or i32.eqz br_if 2 br 10 end
local.get 0 i32.load16_u align=1 i32.const 29537 i32.xor local.get 0 i32.const 2 i32.add local.tee 2
i32.load8_u i32.const 107 i32.xor i32.or i32.const 65535 i32.and i32.eqz br_if 11 local.get 0
i32.load16_u align=1 i32.const 28524 i32.xor local.get 2 i32.load8_u i32.const 103 i32.xor i32.or
i32.const 65535 i32.and br_if 9 i32.const 1 i32.const 1049186 i32.const 15 call 35 i32.const 2
i32.const 1049201 i32.const 14 call 35 i32.const 3 i32.const 1049215 i32.const 14 call 35 i32.const
4 i32.const 1049229 i32.const 15 call 35 local.get 3 i32.const 0 i32.store offset=48 br 18 end
i32.const 1049244 i32.const 17 local.get 3 i32.const 152 i32.add call 36 local.get 3 i32.load8_u
offset=152 local.set 9 local.get 3 i32.load offset=160 local.set 2 local.get 3 i32.load offset=156
local.set 5 i32.const 4 call 66 local.tee 4 i32.eqz br_if 3 local.get 4 i32.const 1701736302
i32.store align=1 local.get 9 i32.const 255 i32.and i32.eqz br_if 6 local.get 2 i32.const
-2147483648 i32.eq br_if 6 local.get 4 i32.const 4 call 60 br 7 end i32.const 5 call 66 local.tee 2
i32.eqz br_if 3 local.get 2 i32.const 0 i32.load8_u offset=1049159 i32.store8 offset=4 local.get 2
i32.const 0 i32.load offset=1049155 align=1 i32.store align=1 local.get 3 i32.const 5 i32.store
offset=160 local.get 3 local.get 2 i32.store offset=156 local.get 3 i32.const 5 i32.store offset=152
i32.const 5 call 66 local.tee 2 i32.eqz br_if 4 local.get 2 i32.const 0 i32.load8_u offset=1049164
i32.store8 offset=4 local.get 2 i32.const 0 i32.load offset=1049160 align=1 i32.store align=1
local.get 3 i32.const 5 i32.store offset=172 local.get 3 local.get 2 i32.store offset=168 local.get
3 i32.const 5 i32.store offset=164 i32.const 1049165 i32.const 7 i64.const 2 local.get 3 i32.const
152 i32.add i32.const 1 call 75 local.get 3 i32.const 152 i32.add call 61 i32.const 1049172
i32.const 5 f64.const -0x1.8p+0 call 77 i32.const 1049177 i32.const 9 f64.const 0x1p-1 i32.const 0
i32.const 0 call 37 local.get 3 i32.const 0 i32.store offset=48 br 16 end i32.const 1 i32.const 9
call 67 unreachable end i32.const 1 i32.const 4 call 67 unreachable end i32.const 1 i32.const 4 call
67 unreachable end i32.const 1 i32.const 5 call 67 unreachable end i32.const 1 i32.const 5 call 67
unreachable end i32.const 4 local.set 2 local.get 4 local.set 5 end i32.const 1049261 i32.const 9
local.get 3 i32.const 152 i32.add call 36 local.get 3 i32.load8_u offset=152 local.set 8 local.get 3
i32.load offset=160 local.set 4 local.get 3 i32.load offset=156 local.set 9 block block block
i32.const 4 call 66 local.tee 7 i32.eqz br_if 0 local.get 7 i32.const 1701736302 i32.store align=1
local.get 8 i32.const 255 i32.and i32.eqz br_if 1 local.get 4 i32.const -2147483648 i32.eq br_if 1
local.get 7 i32.const 4 call 60 br 2 end i32.const 1 i32.const 4 call 67 unreachable end i32.const 4
local.set 4 local.get 7 local.set 9 end local.get 3 local.get 4 i32.store offset=164 local.get 3
local.get 9 i32.store offset=160 local.get 3 local.get 2 i32.store offset=156 local.get 3 local.get
5 i32.store offset=152 local.get 3 i32.const 48 i32.add i32.const 4 i32.or local.get 3 i32.const 152
i32.add i32.const 2 i32.const 32 call 81 local.get 3 i32.const 403 i32.store16 offset=64 local.get 3
i32.const 2 i32.store offset=48 block local.get 4 i32.eqz br_if 0 local.get 9 local.get 4 call 60
end local.get 2 i32.eqz br_if 9 local.get 5 local.get 2 call 60 br 9 end local.get 3 i32.const 0
i32.store offset=48 br 8 end local.get 3 i32.const 96 i32.add call 38 block block local.get 3
i32.load8_u offset=96 i32.eqz br_if 0 local.get 3 i32.load8_u offset=98 i32.const 255 i32.and
i32.eqz br_if 1 end local.get 3 i32.const 48 i32.add i32.const 4 i32.or i32.const 1048720 i32.const
1 i32.const 32 call 81 local.get 3 i32.const 403 i32.store16 offset=64 local.get 3 i32.const 2
i32.store offset=48 br 8 end local.get 3 local.get 3 i32.load offset=100 align=2 i32.store offset=48
local.get 3 i32.const 48 i32.add local.set 2 i32.const 0 local.set 4 loop local.get 3 i32.const 96
i32.add local.get 2 i64.load8_u call 79 local.get 3 i32.const 152 i32.add local.get 4 i32.add
local.tee 5 local.get 3 i32.load offset=104 i32.store offset=8 local.get 5 local.get 3 i64.load
offset=96 align=4 i64.store align=4 local.get 2 i32.const 1 i32.add local.set 2 local.get 4
i32.const 12 i32.add local.tee 4 i32.const 48 i32.ne br_if 0 end local.get 3 i32.const 84 i32.add
local.get 3 i32.const 152 i32.add i32.const 4 i32.const 46 call 80 i32.const 0 local.set 2 loop
block local.get 3 i32.const 152 i32.add local.get 2 i32.add local.tee 4 i32.load local.tee 5 i32.eqz
br_if 0 local.get 4 i32.const 4 i32.add i32.load local.get 5 call 60 end local.get 2 i32.const 12
i32.add local.tee 2 i32.const 48 i32.ne br_if 0 end local.get 3 i32.const 96 i32.add call 28
local.get 3 i32.load8_u offset=96 local.set 4 local.get 3 i32.load offset=100 local.set 15 local.get
3 i32.load offset=104 local.set 14 block block block i32.const 4 call 66 local.tee 2 i32.eqz br_if 0
local.get 2 i32.const 1701736302 i32.store align=1 local.get 4 i32.const 255 i32.and i32.eqz br_if 1
local.get 14 i32.const -2147483648 i32.eq br_if 1 local.get 2 i32.const 4 call 60 br 2 end i32.const
1 i32.const 4 call 67 unreachable end i32.const 4 local.set 14 local.get 2 local.set 15 end
local.get 3 i32.load offset=88 local.set 12 local.get 3 i32.load offset=92 local.set 16 local.get 3
i64.const 0 i64.store offset=96 local.get 3 i32.const 96 i32.add call 39 local.get 3 i32.load
offset=100 local.tee 13 i32.const 12 i32.mul local.set 2 block block block local.get 13 i32.const
178956970 i32.le_u br_if 0 i32.const 0 local.set 4 br 1 end local.get 3 i32.load offset=96 local.set
17 block local.get 2 br_if 0 i32.const 4 local.set 6 i32.const 0 local.set 4 br 2 end local.get 13
local.set 4 local.get 2 call 66 local.tee 6 br_if 1 i32.const 4 local.set 4 end local.get 4
local.get 2 call 67 unreachable end local.get 3 i32.const 0 i32.store offset=148 local.get 3
local.get 6 i32.store offset=144 local.get 3 local.get 4 i32.store offset=140 block local.get 13
i32.eqz br_if 0 i32.const 0 local.set 2 local.get 17 local.set 4 i32.const 8 local.set 5 loop
local.get 4 i32.const 4 i32.add i32.load local.set 9 local.get 4 i32.load local.set 8 block
local.get 2 local.get 3 i32.load offset=140 i32.ne br_if 0 local.get 3 i32.const 140 i32.add call 68
local.get 3 i32.load offset=144 local.set 6 end local.get 6 local.get 5 i32.add local.tee 7
local.get 9 i32.store local.get 7 i32.const -4 i32.add local.get 8 i32.store local.get 7 i32.const
-8 i32.add local.get 9 i32.store local.get 3 local.get 2 i32.const 1 i32.add local.tee 2 i32.store
offset=148 local.get 4 i32.const 8 i32.add local.set 4 local.get 5 i32.const 12 i32.add local.set 5
local.get 13 local.get 2 i32.ne br_if 0 end local.get 17 local.get 13 i32.const 3 i32.shl call 60
end local.get 3 i32.const 128 i32.add local.get 3 i32.load offset=144 local.get 13 i32.const 43 call
80 local.get 3 local.get 14 i32.store offset=116 local.get 3 local.get 15 i32.store offset=112
local.get 3 local.get 16 i32.store offset=108 local.get 3 local.get 12 i32.store offset=104
local.get 3 i32.const 4 i32.store offset=100 local.get 3 i32.const 1048788 i32.store offset=96
local.get 3 local.get 3 i32.load offset=136 i32.store offset=124 local.get 3 local.get 3 i32.load
offset=132 local.tee 2 i32.store offset=120 local.get 3 i32.const 48 i32.add i32.const 4 i32.or
local.get 3 i32.const 96 i32.add i32.const 4 i32.const 32 call 81 local.get 3 i32.const 403
i32.store16 offset=64 local.get 3 i32.const 2 i32.store offset=48 block local.get 3 i32.load
offset=128 local.tee 4 i32.eqz br_if 0 local.get 2 local.get 4 call 60 end local.get 3 i32.const 140
i32.add call 63 block local.get 14 i32.eqz br_if 0 local.get 15 local.get 14 call 60 end local.get 3
i32.load offset=84 local.tee 2 i32.eqz br_if 7 local.get 3 i32.load offset=88 local.get 2 call 60 br
7 end block i32.const 7 call 66 local.tee 2 i32.eqz br_if 0 local.get 3 i32.const 0 i32.store8
offset=76 local.get 2 i32.const 0 i32.load offset=1049315 align=1 i32.store offset=3 align=1
local.get 2 i32.const 0 i32.load offset=1049312 align=1 i32.store align=1 local.get 3 i32.const 7
i32.store offset=72 local.get 3 local.get 2 i32.store offset=68 local.get 3 i32.const 7 i32.store
offset=64 local.get 3 i64.const 1000 i64.store offset=56 local.get 3 i32.const 6 i32.store offset=48
br 7 end i32.const 1 i32.const 7 call 67 unreachable end i32.const 4 local.set 2 local.get 8
local.set 7 end local.get 3 i64.const 0 i64.store offset=48 local.get 3 i32.const 48 i32.add call 40
local.get 3 local.get 17 i32.store offset=204 local.get 3 local.get 18 i32.store offset=200
local.get 3 local.get 2 i32.store offset=188 local.get 3 local.get 7 i32.store offset=184 local.get
3 local.get 9 i32.store offset=180 local.get 3 local.get 15 i32.store offset=176 local.get 3
local.get 5 i32.store offset=172 local.get 3 local.get 14 i32.store offset=168 local.get 3 local.get
12 i32.store offset=164 local.get 3 local.get 13 i32.store offset=160 local.get 3 local.get 4
i32.store offset=156 local.get 3 local.get 6 i32.store offset=152 local.get 3 local.get 3 i32.load
offset=52 local.tee 8 i32.store offset=196 local.get 3 local.get 3 i32.load offset=48 local.tee 12
i32.store offset=192 local.get 3 i32.const 48 i32.add i32.const 4 i32.or local.get 3 i32.const 152
i32.add i32.const 7 i32.const 32 call 81 local.get 3 i32.const 403 i32.store16 offset=64 local.get 3
i32.const 2 i32.store offset=48 block local.get 8 i32.eqz br_if 0 local.get 12 local.get 8 call 60
end block local.get 2 i32.eqz br_if 0 local.get 7 local.get 2 call 60 end block local.get 9 i32.eqz
br_if 0 local.get 15 local.get 9 call 60 end block local.get 5 i32.eqz br_if 0 local.get 14
local.get 5 call 60 end block local.get 3 i32.load offset=96 local.tee 2 i32.eqz br_if 0 local.get
13 local.get 2 call 60 end local.get 4 i32.eqz br_if 4 local.get 6 local.get 4 call 60 br 4 end
block block i32.const 10 call 66 local.tee 2 i32.eqz br_if 0 local.get 2 i32.const 0 i32.load16_u
offset=1049327 align=1 i32.store16 offset=8 align=1 local.get 2 i32.const 0 i64.load offset=1049319
align=1 i64.store align=1 i32.const 4 call 66 local.tee 4 i32.eqz br_if 1 local.get 4 i32.const
1701273968 i32.store align=1 local.get 3 i32.const 201 i32.store16 offset=76 local.get 3 i32.const 4
i32.store offset=72 local.get 3 local.get 4 i32.store offset=68 local.get 3 i64.const 17179869194
i64.store offset=60 align=4 local.get 3 local.get 2 i32.store offset=56 local.get 3 i64.const
42949672964 i64.store offset=48 br 5 end i32.const 1 i32.const 10 call 67 unreachable end i32.const
1 i32.const 4 call 67 unreachable end block i32.const 21 call 66 local.tee 2 i32.eqz br_if 0
local.get 2 i32.const 0 i64.load offset=1049342 align=1 i64.store offset=13 align=1 local.get 2
i32.const 0 i64.load offset=1049337 align=1 i64.store offset=8 align=1 local.get 2 i32.const 0
i64.load offset=1049329 align=1 i64.store align=1 local.get 3 i32.const 307 i32.store16 offset=64
local.get 3 i32.const 21 i32.store offset=60 local.get 3 local.get 2 i32.store offset=56 local.get 3
i64.const 90194313219 i64.store offset=48 br 3 end i32.const 1 i32.const 21 call 67 unreachable end
local.get 3 i32.const 5 i32.store offset=48 br 1 end local.get 3 i32.const 1 i32.store offset=48 end
block local.get 1 i32.eqz br_if 0 local.get 0 local.get 1 call 60 end block block local.get 3
i32.load offset=48 local.tee 2 i32.const 7 i32.ne br_if 0 i32.const 0 i32.const 1 i32.store8
offset=1050136 local.get 3 local.get 3 i32.const 48 i32.add i32.const 4 i32.or call 91 i32.const 0
local.get 3 i64.load i64.store offset=1050144 br 1 end i32.const 0 i32.const 0 i32.store8
offset=1050136 local.get 3 i32.const 66 i32.add local.set 4 local.get 3 i32.load16_u offset=76
local.set 7 local.get 3 i32.load16_u offset=64 local.set 5 local.get 3 i64.load offset=56 local.set
10 local.get 3 i32.load offset=52 local.set 9 block block block block block block block local.get 2
br_table 0 1 2 3 4 5 6 0 end i32.const 0 i32.const 0 i32.store8 offset=1050144 br 6 end i32.const 0
i32.const 1 i32.store8 offset=1050144 br 5 end i32.const 0 local.get 5 i32.store16 offset=1050152
i32.const 0 i32.const 2 i32.store8 offset=1050144 local.get 3 local.get 10 i64.store offset=156
align=4 local.get 3 local.get 9 i32.store offset=152 local.get 3 i32.const 8 i32.add local.get 3
i32.const 152 i32.add call 91 i32.const 0 local.get 3 i64.load offset=8 i64.store offset=1050156
align=4 br 4 end i32.const 0 local.get 5 i32.store16 offset=1050152 i32.const 0 i32.const 3
i32.store8 offset=1050144 local.get 3 local.get 10 i64.store offset=156 align=4 local.get 3
local.get 9 i32.store offset=152 local.get 3 i32.const 16 i32.add local.get 3 i32.const 152 i32.add
call 91 i32.const 0 local.get 3 i64.load offset=16 i64.store offset=1050156 align=4 br 3 end
i32.const 0 local.get 7 i32.store16 offset=1050152 i32.const 0 i32.const 4 i32.store8 offset=1050144
local.get 3 local.get 4 i32.load16_u offset=8 i32.store16 offset=162 local.get 3 local.get 4
i64.load align=2 i64.store offset=154 align=2 local.get 3 local.get 10 i64.store offset=100 align=4
local.get 3 local.get 9 i32.store offset=96 local.get 3 i32.const 32 i32.add local.get 3 i32.const
96 i32.add call 91 i32.const 0 local.get 3 i64.load offset=32 i64.store offset=1050156 align=4
local.get 3 local.get 5 i32.store16 offset=152 local.get 3 i32.const 24 i32.add local.get 3
i32.const 152 i32.add call 91 i32.const 0 local.get 3 i64.load offset=24 i64.store offset=1050164
align=4 br 2 end i32.const 0 i32.const 5 i32.store8 offset=1050144 br 1 end i32.const 0 i32.const 6
i32.store8 offset=1050144 local.get 3 local.get 5 i32.store16 offset=152 local.get 3 local.get 4
i32.load16_u offset=8 i32.store16 offset=162 local.get 3 local.get 4 i64.load align=2 i64.store
offset=154 align=2 local.get 3 i32.const 40 i32.add local.get 3 i32.const 152 i32.add call 91
i32.const 0 local.get 10 i64.store offset=1050168 i32.const 0 local.get 7 i32.const 1 i32.and
i32.store8 offset=1050160 i32.const 0 local.get 3 i64.load offset=40 i64.store offset=1050152 end
local.get 3 i32.const 208 i32.add global.set 0 i32.const 1050136)
(func (type 20) (param i32 i32 i32 i32) (result i32) (local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32
i32 i32) global.get 0 i32.const 112 i32.sub local.tee 4 global.set 0 block i32.const 0 i32.load8_u
offset=1050777 br_if 0 call 55 i32.const 0 i32.const 1 i32.store8 offset=1050777 end block block
block block block local.get 1 i32.const 4 i32.ne br_if 0 local.get 0 i32.load align=1 i32.const
1414745936 i32.eq br_if 1 end local.get 4 i32.const 48 i32.add i32.const 1049363 i32.const 4
i32.const 1049350 i32.const 13 call 69 local.get 4 i32.const 8 i32.add local.get 4 i32.load
offset=48 local.get 4 i32.load offset=52 call 87 local.get 4 i32.const 48 i32.add i32.const 1049367
i32.const 9 local.get 4 i32.load offset=8 local.get 4 i32.load offset=12 call 69 block local.get 4
i32.load offset=48 local.tee 5 i32.const 1 i32.lt_s br_if 0 local.get 4 i32.load offset=52 local.get
5 call 60 end local.get 4 i64.const 0 i64.store offset=16 local.get 4 i32.const 16 i32.add call 41
local.get 4 i32.load offset=20 local.tee 6 i32.const 12 i32.mul local.set 5 block block local.get 6
i32.const 178956970 i32.le_u br_if 0 i32.const 0 local.set 4 br 1 end local.get 4 i32.load offset=16
local.set 7 block local.get 5 br_if 0 i32.const 4 local.set 8 i32.const 0 local.set 9 br 3 end
local.get 6 local.set 9 local.get 5 call 66 local.tee 8 br_if 2 i32.const 4 local.set 4 end
local.get 4 local.get 5 call 67 unreachable end i32.const 1049151 i32.const 4 local.get 4 i32.const
48 i32.add call 17 local.get 4 i32.load8_u offset=48 local.set 10 local.get 4 i32.load offset=56
local.set 5 local.get 4 i32.load offset=52 local.set 11 block block block i32.const 4 call 66
local.tee 9 i32.eqz br_if 0 local.get 9 i32.const 1701736302 i32.store align=1 local.get 10
i32.const 255 i32.and i32.eqz br_if 1 local.get 5 i32.const -2147483648 i32.eq br_if 1 local.get 9
i32.const 4 call 60 br 2 end i32.const 1 i32.const 4 call 67 unreachable end i32.const 4 local.set 5
local.get 9 local.set 11 end local.get 4 i64.const 0 i64.store offset=48 local.get 4 i32.const 48
i32.add call 42 local.get 4 i32.load offset=48 local.set 10 local.get 4 i32.load offset=52 local.set
9 local.get 4 i64.const 0 i64.store offset=16 local.get 4 i32.const 16 i32.add call 43 local.get 4
local.get 5 i32.store offset=84 local.get 4 local.get 11 i32.store offset=80 local.get 4 local.get 3
i32.store offset=76 local.get 4 local.get 2 i32.store offset=72 local.get 4 local.get 0 i32.store
offset=64 local.get 4 local.get 9 i32.store offset=52 local.get 4 local.get 10 i32.store offset=48
local.get 4 local.get 4 i32.load offset=20 local.tee 12 i32.store offset=60 local.get 4 local.get 4
i32.load offset=16 local.tee 13 i32.store offset=56 local.get 4 i32.const 4 i32.store offset=68
local.get 4 i32.const 16 i32.add i32.const 4 i32.or local.get 4 i32.const 48 i32.add i32.const 5
i32.const 32 call 81 block local.get 12 i32.eqz br_if 0 local.get 13 local.get 12 call 60 end block
local.get 9 i32.eqz br_if 0 local.get 10 local.get 9 call 60 end block local.get 5 i32.eqz br_if 0
local.get 11 local.get 5 call 60 end block local.get 3 i32.eqz br_if 0 local.get 2 local.get 3 call
60 end local.get 0 i32.const 4 call 60 i32.const 0 i32.const 403 i32.store16 offset=1050192
i32.const 0 i32.const 2 i32.store8 offset=1050184 i32.const 0 i32.const 0 i32.store8 offset=1050176
local.get 4 i32.load offset=20 local.set 5 local.get 4 local.get 4 i64.load offset=24 i64.store
offset=52 align=4 local.get 4 local.get 5 i32.store offset=48 local.get 4 local.get 4 i32.const 48
i32.add call 91 i32.const 0 local.get 4 i64.load i64.store offset=1050196 align=4 br 1 end local.get
4 i32.const 0 i32.store offset=56 local.get 4 local.get 8 i32.store offset=52 local.get 4 local.get
9 i32.store offset=48 block local.get 6 i32.eqz br_if 0 i32.const 0 local.set 5 local.get 7
local.set 9 i32.const 8 local.set 11 loop local.get 9 i32.const 4 i32.add i32.load local.set 10
local.get 9 i32.load local.set 13 block local.get 5 local.get 4 i32.load offset=48 i32.ne br_if 0
local.get 4 i32.const 48 i32.add call 68 local.get 4 i32.load offset=52 local.set 8 end local.get 8
local.get 11 i32.add local.tee 12 local.get 10 i32.store local.get 12 i32.const -4 i32.add local.get
13 i32.store local.get 12 i32.const -8 i32.add local.get 10 i32.store local.get 4 local.get 5
i32.const 1 i32.add local.tee 5 i32.store offset=56 local.get 9 i32.const 8 i32.add local.set 9
local.get 11 i32.const 12 i32.add local.set 11 local.get 6 local.get 5 i32.ne br_if 0 end local.get
7 local.get 6 i32.const 3 i32.shl call 60 end local.get 4 local.get 4 i32.load offset=56 local.tee
11 i32.store offset=96 local.get 4 local.get 4 i64.load offset=48 align=4 i64.store offset=88
local.get 4 i32.load offset=92 local.set 10 block block local.get 11 br_if 0 i32.const 0 local.set 9
br 1 end local.get 10 i32.const 12 i32.add local.set 5 i32.const 0 local.set 9 block block block
loop local.get 5 i32.const -4 i32.add i32.load i32.const 2 i32.lt_u br_if 1 local.get 5 i32.const -8
i32.add i32.load i32.load16_u align=1 i32.const 11640 i32.ne br_if 2 local.get 5 i32.const 12
i32.add local.set 5 local.get 11 local.get 9 i32.const 1 i32.add local.tee 9 i32.ne br_if 0 end
local.get 11 local.set 9 br 3 end local.get 5 i32.const -12 i32.add local.set 12 br 1 end local.get
5 i32.const -12 i32.add local.set 12 end block local.get 12 i32.load local.tee 13 i32.eqz br_if 0
local.get 12 i32.load offset=4 local.get 13 call 60 end block local.get 9 i32.const 1 i32.add
local.get 11 i32.ge_u br_if 0 local.get 9 i32.const -1 i32.xor local.get 11 i32.add local.set 11
loop block block block local.get 5 i32.const 8 i32.add i32.load i32.const 2 i32.lt_u br_if 0
local.get 5 i32.const 4 i32.add i32.load i32.load16_u align=1 i32.const 11640 i32.eq br_if 1 end
local.get 5 i32.load local.tee 12 i32.eqz br_if 1 local.get 5 i32.const 4 i32.add i32.load local.get
12 call 60 br 1 end local.get 10 local.get 9 i32.const 12 i32.mul i32.add local.tee 12 local.get 5
i32.load offset=8 i32.store offset=8 local.get 12 local.get 5 i64.load align=4 i64.store align=4
local.get 9 i32.const 1 i32.add local.set 9 end local.get 5 i32.const 12 i32.add local.set 5
local.get 11 i32.const -1 i32.add local.tee 11 br_if 0 end end local.get 4 local.get 9 i32.store
offset=96 end local.get 10 local.get 9 call 86 local.get 4 i32.const 16 i32.add local.get 10
local.get 9 i32.const 44 call 80 i32.const 1049376 i32.const 7 local.get 4 i32.load offset=20
local.tee 5 local.get 4 i32.load offset=24 local.get 4 i32.const 48 i32.add call 44 block local.get
4 i32.load8_u offset=48 i32.eqz br_if 0 local.get 4 i32.load8_u offset=52 i32.const 3 i32.le_u br_if
0 local.get 4 i32.load offset=60 local.tee 9 i32.const -2147483643 i32.lt_s br_if 0 local.get 9
i32.eqz br_if 0 local.get 4 i32.load offset=56 local.get 9 call 60 end block local.get 4 i32.load
offset=16 local.tee 9 i32.eqz br_if 0 local.get 5 local.get 9 call 60 end i32.const 1049383
i32.const 8 local.get 4 i32.const 48 i32.add call 45 block local.get 4 i32.load8_u offset=48 i32.eqz
br_if 0 local.get 4 i32.load8_u offset=52 i32.const 3 i32.le_u br_if 0 local.get 4 i32.load
offset=60 local.tee 5 i32.const -2147483643 i32.lt_s br_if 0 local.get 5 i32.eqz br_if 0 local.get 4
i32.load offset=56 local.get 5 call 60 end local.get 4 i64.const 0 i64.store offset=48 local.get 4
i32.const 48 i32.add call 46 local.get 4 i32.load offset=52 local.tee 14 i32.const 24 i32.mul
local.set 5 block block block local.get 14 i32.const 89478485 i32.le_u br_if 0 i32.const 0 local.set
4 br 1 end local.get 4 i32.load offset=48 local.set 15 block local.get 5 br_if 0 i32.const 4
local.set 7 i32.const 0 local.set 9 br 2 end local.get 14 local.set 9 local.get 5 call 66 local.tee
7 br_if 1 i32.const 4 local.set 4 end local.get 4 local.get 5 call 67 unreachable end local.get 4
i32.const 0 i32.store offset=108 local.get 4 local.get 7 i32.store offset=104 local.get 4 local.get
9 i32.store offset=100 block local.get 14 i32.eqz br_if 0 i32.const 0 local.set 10 local.get 15
local.set 5 i32.const 0 local.set 11 loop local.get 5 i32.const 12 i32.add i32.load local.set 12
local.get 5 i32.const 8 i32.add i32.load local.set 8 local.get 5 i32.const 4 i32.add i32.load
local.set 13 local.get 5 i32.load local.set 6 block local.get 11 local.get 4 i32.load offset=100
i32.ne br_if 0 local.get 4 i32.const 100 i32.add call 96 local.get 4 i32.load offset=104 local.set 7
end local.get 7 local.get 10 i32.add local.tee 9 local.get 13 i32.store local.get 9 i32.const 20
i32.add local.get 12 i32.store local.get 9 i32.const 16 i32.add local.get 8 i32.store local.get 9
i32.const 12 i32.add local.get 12 i32.store local.get 9 i32.const 8 i32.add local.get 13 i32.store
local.get 9 i32.const 4 i32.add local.get 6 i32.store local.get 4 local.get 11 i32.const 1 i32.add
local.tee 11 i32.store offset=108 local.get 5 i32.const 16 i32.add local.set 5 local.get 10
i32.const 24 i32.add local.set 10 local.get 14 local.get 11 i32.ne br_if 0 end local.get 15
local.get 14 i32.const 4 i32.shl call 60 end i32.const 6 call 66 local.tee 11 i32.eqz br_if 1
i32.const 0 local.set 9 local.get 11 i32.const 0 i32.load16_u offset=1049395 align=1 i32.store16
offset=4 align=1 local.get 11 i32.const 0 i32.load offset=1049391 align=1 i32.store align=1
local.get 4 i32.const 48 i32.add i32.const 1049397 i32.const 5 call 65 local.get 4 i32.const 16
i32.add local.get 4 i32.const 48 i32.add call 89 block local.get 14 local.get 4 i32.load offset=100
i32.ne br_if 0 local.get 4 i32.const 100 i32.add call 96 end local.get 4 i32.load offset=104
local.tee 10 local.get 14 i32.const 24 i32.mul local.tee 12 i32.add local.tee 5 i32.const 6
i32.store offset=8 local.get 5 local.get 11 i32.store offset=4 local.get 5 i32.const 6 i32.store
local.get 5 local.get 4 i64.load offset=16 align=4 i64.store offset=12 align=4 local.get 5 local.get
4 i32.load offset=24 i32.store offset=20 local.get 4 local.get 14 i32.const 1 i32.add local.tee 13
i32.store offset=108 local.get 4 i32.const 48 i32.add local.get 13 i32.const 4 i32.shl call 76
local.get 10 i32.const 20 i32.add local.set 5 local.get 12 i32.const 24 i32.add local.set 11
local.get 4 i32.load offset=60 local.set 6 local.get 4 i32.load offset=56 local.set 7 local.get 4
i32.load offset=52 local.set 8 local.get 4 i32.load offset=48 local.set 12 loop local.get 12
local.get 9 i32.add local.tee 10 local.get 5 i32.const -16 i32.add i64.load align=4 i64.store
align=4 local.get 10 i32.const 8 i32.add local.get 5 i32.const -4 i32.add i64.load align=4 i64.store
align=4 local.get 5 i32.const 24 i32.add local.set 5 local.get 9 i32.const 16 i32.add local.set 9
local.get 11 i32.const -24 i32.add local.tee 11 br_if 0 end local.get 12 local.get 13 local.get 4
i32.const 48 i32.add call 47 block block local.get 4 i32.load8_u offset=48 br_if 0 i32.const
-2147483644 local.set 5 br 1 end local.get 4 i32.load8_u offset=52 local.tee 5 i32.const -2147483648
i32.or local.get 4 i32.load offset=60 local.get 5 i32.const 4 i32.lt_u select local.set 5 local.get
4 i32.load offset=56 local.set 9 end block local.get 8 i32.eqz br_if 0 local.get 7 local.get 6 call
72 end block local.get 5 i32.const -2147483643 i32.lt_s br_if 0 local.get 5 i32.eqz br_if 0
local.get 9 local.get 5 call 60 end local.get 4 i32.const 100 i32.add call 64 local.get 4 i32.const
88 i32.add call 63 block local.get 3 i32.eqz br_if 0 local.get 2 local.get 3 call 60 end block
local.get 1 i32.eqz br_if 0 local.get 0 local.get 1 call 60 end i32.const 0 i32.const 0 i32.store8
offset=1050184 i32.const 0 i32.const 0 i32.store8 offset=1050176 end local.get 4 i32.const 112
i32.add global.set 0 i32.const 1050176 return end i32.const 1 i32.const 6 call 67 unreachable)
(func (type 16) (param i32) (result i32) (local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
global.get 0 i32.const 128 i32.sub local.tee 1 global.set 0 block i32.const 0 i32.load8_u
offset=1050777 br_if 0 call 55 i32.const 0 i32.const 1 i32.store8 offset=1050777 end block block
local.get 0 i32.const 65535 i32.and i32.const 500 i32.ne br_if 0 local.get 1 i32.const 16 i32.add
i32.const 1049367 i32.const 9 call 65 local.get 1 i32.const 64 i32.add local.get 1 i32.const 16
i32.add call 89 local.get 1 i32.const 52 i32.add local.get 1 i32.const 64 i32.add call 85 local.get
1 i32.const 88 i32.add i64.const 500 call 79 local.get 1 i32.load offset=92 local.set 0 local.get 1
i32.load offset=96 local.set 2 local.get 1 i64.const 0 i64.store offset=16 local.get 1 i32.const 16
i32.add call 42 local.get 1 local.get 2 i32.store offset=68 local.get 1 local.get 0 i32.store
offset=64 local.get 1 local.get 1 i32.load offset=60 i32.store offset=84 local.get 1 local.get 1
i32.load offset=56 local.tee 3 i32.store offset=80 local.get 1 local.get 1 i32.load offset=20
local.tee 2 i32.store offset=76 local.get 1 local.get 1 i32.load offset=16 local.tee 4 i32.store
offset=72 local.get 1 i32.const 16 i32.add i32.const 4 i32.or local.get 1 i32.const 64 i32.add
i32.const 3 i32.const 32 call 81 block local.get 2 i32.eqz br_if 0 local.get 4 local.get 2 call 60
end block local.get 1 i32.load offset=88 local.tee 2 i32.eqz br_if 0 local.get 0 local.get 2 call 60
end block local.get 1 i32.load offset=52 local.tee 0 i32.eqz br_if 0 local.get 3 local.get 0 call 60
end i32.const 0 i32.const 403 i32.store16 offset=1050248 i32.const 0 i32.const 2 i32.store8
offset=1050240 i32.const 0 i32.const 0 i32.store8 offset=1050232 local.get 1 i32.load offset=20
local.set 0 local.get 1 local.get 1 i64.load offset=24 i64.store offset=68 align=4 local.get 1
local.get 0 i32.store offset=64 local.get 1 local.get 1 i32.const 64 i32.add call 91 i32.const 0
local.get 1 i64.load i64.store offset=1050252 align=4 br 1 end local.get 1 i32.const 16 i32.add
i32.const 1049423 i32.const 6 i32.const 1048742 i32.const 1 call 69 local.get 1 i32.const 8 i32.add
local.get 1 i32.load offset=16 local.get 1 i32.load offset=20 call 87 i32.const 1049367 i32.const 9
local.get 1 i32.load offset=8 local.get 1 i32.load offset=12 local.get 1 i32.const 16 i32.add call
48 block local.get 1 i32.load8_u offset=16 i32.eqz br_if 0 local.get 1 i32.load8_u offset=20
i32.const 3 i32.le_u br_if 0 local.get 1 i32.load offset=28 local.tee 0 i32.const -2147483643
i32.lt_s br_if 0 local.get 0 i32.eqz br_if 0 local.get 1 i32.load offset=24 local.get 0 call 60 end
local.get 1 i64.const 0 i64.store offset=64 local.get 1 i32.const 64 i32.add call 49 local.get 1
i32.load offset=68 local.tee 5 i32.const 12 i32.mul local.set 0 block block block local.get 5
i32.const 178956970 i32.le_u br_if 0 i32.const 0 local.set 1 br 1 end local.get 1 i32.load offset=64
local.set 6 block local.get 0 br_if 0 i32.const 4 local.set 7 i32.const 0 local.set 2 br 2 end
local.get 5 local.set 2 local.get 0 call 66 local.tee 7 br_if 1 i32.const 4 local.set 1 end
local.get 1 local.get 0 call 67 unreachable end local.get 1 i32.const 0 i32.store offset=24
local.get 1 local.get 7 i32.store offset=20 local.get 1 local.get 2 i32.store offset=16 block
local.get 5 i32.eqz br_if 0 i32.const 0 local.set 0 local.get 6 local.set 2 i32.const 8 local.set 3
loop local.get 2 i32.const 4 i32.add i32.load local.set 4 local.get 2 i32.load local.set 8 block
local.get 0 local.get 1 i32.load offset=16 i32.ne br_if 0 local.get 1 i32.const 16 i32.add call 68
local.get 1 i32.load offset=20 local.set 7 end local.get 7 local.get 3 i32.add local.tee 9 local.get
4 i32.store local.get 9 i32.const -4 i32.add local.get 8 i32.store local.get 9 i32.const -8 i32.add
local.get 4 i32.store local.get 1 local.get 0 i32.const 1 i32.add local.tee 0 i32.store offset=24
local.get 2 i32.const 8 i32.add local.set 2 local.get 3 i32.const 12 i32.add local.set 3 local.get 5
local.get 0 i32.ne br_if 0 end local.get 6 local.get 5 i32.const 3 i32.shl call 60 end local.get 1
local.get 1 i32.load offset=24 local.tee 3 i32.store offset=96 local.get 1 local.get 1 i64.load
offset=16 align=4 i64.store offset=88 local.get 1 i32.load offset=92 local.set 4 block block
local.get 3 br_if 0 i32.const 0 local.set 2 br 1 end local.get 4 i32.const 12 i32.add local.set 0
i32.const 0 local.set 2 block block block loop local.get 0 i32.const -4 i32.add i32.load i32.const 2
i32.lt_u br_if 1 local.get 0 i32.const -8 i32.add i32.load i32.load16_u align=1 i32.const 11640
i32.ne br_if 2 local.get 0 i32.const 12 i32.add local.set 0 local.get 3 local.get 2 i32.const 1
i32.add local.tee 2 i32.ne br_if 0 end local.get 3 local.set 2 br 3 end local.get 0 i32.const -12
i32.add local.set 9 br 1 end local.get 0 i32.const -12 i32.add local.set 9 end block local.get 9
i32.load local.tee 8 i32.eqz br_if 0 local.get 9 i32.load offset=4 local.get 8 call 60 end block
local.get 2 i32.const 1 i32.add local.get 3 i32.ge_u br_if 0 local.get 2 i32.const -1 i32.xor
local.get 3 i32.add local.set 3 loop block block block local.get 0 i32.const 8 i32.add i32.load
i32.const 2 i32.lt_u br_if 0 local.get 0 i32.const 4 i32.add i32.load i32.load16_u align=1 i32.const
11640 i32.eq br_if 1 end local.get 0 i32.load local.tee 9 i32.eqz br_if 1 local.get 0 i32.const 4
i32.add i32.load local.get 9 call 60 br 1 end local.get 4 local.get 2 i32.const 12 i32.mul i32.add
local.tee 9 local.get 0 i32.load offset=8 i32.store offset=8 local.get 9 local.get 0 i64.load
align=4 i64.store align=4 local.get 2 i32.const 1 i32.add local.set 2 end local.get 0 i32.const 12
i32.add local.set 0 local.get 3 i32.const -1 i32.add local.tee 3 br_if 0 end end local.get 1
local.get 2 i32.store offset=96 end local.get 4 local.get 2 call 86 local.get 1 i32.const 64 i32.add
local.get 4 local.get 2 i32.const 44 call 80 i32.const 1049376 i32.const 7 local.get 1 i32.load
offset=68 local.tee 0 local.get 1 i32.load offset=72 local.get 1 i32.const 16 i32.add call 50 block
local.get 1 i32.load8_u offset=16 i32.eqz br_if 0 local.get 1 i32.load8_u offset=20 i32.const 3
i32.le_u br_if 0 local.get 1 i32.load offset=28 local.tee 2 i32.const -2147483643 i32.lt_s br_if 0
local.get 2 i32.eqz br_if 0 local.get 1 i32.load offset=24 local.get 2 call 60 end block local.get 1
i32.load offset=64 local.tee 2 i32.eqz br_if 0 local.get 0 local.get 2 call 60 end i32.const 1049383
i32.const 8 local.get 1 i32.const 16 i32.add call 51 block local.get 1 i32.load8_u offset=16 i32.eqz
br_if 0 local.get 1 i32.load8_u offset=20 i32.const 3 i32.le_u br_if 0 local.get 1 i32.load
offset=28 local.tee 0 i32.const -2147483643 i32.lt_s br_if 0 local.get 0 i32.eqz br_if 0 local.get 1
i32.load offset=24 local.get 0 call 60 end local.get 1 i64.const 0 i64.store offset=16 local.get 1
i32.const 16 i32.add call 52 local.get 1 i32.load offset=20 local.tee 10 i32.const 24 i32.mul
local.set 0 block block block local.get 10 i32.const 89478485 i32.le_u br_if 0 i32.const 0 local.set
1 br 1 end local.get 1 i32.load offset=16 local.set 11 block local.get 0 br_if 0 i32.const 4
local.set 6 i32.const 0 local.set 2 br 2 end local.get 10 local.set 2 local.get 0 call 66 local.tee
6 br_if 1 i32.const 4 local.set 1 end local.get 1 local.get 0 call 67 unreachable end local.get 1
i32.const 0 i32.store offset=112 local.get 1 local.get 6 i32.store offset=108 local.get 1 local.get
2 i32.store offset=104 block local.get 10 i32.eqz br_if 0 i32.const 0 local.set 4 local.get 11
local.set 0 i32.const 0 local.set 3 loop local.get 0 i32.const 12 i32.add i32.load local.set 9
local.get 0 i32.const 8 i32.add i32.load local.set 7 local.get 0 i32.const 4 i32.add i32.load
local.set 8 local.get 0 i32.load local.set 5 block local.get 3 local.get 1 i32.load offset=104
i32.ne br_if 0 local.get 1 i32.const 104 i32.add call 96 local.get 1 i32.load offset=108 local.set 6
end local.get 6 local.get 4 i32.add local.tee 2 local.get 8 i32.store local.get 2 i32.const 20
i32.add local.get 9 i32.store local.get 2 i32.const 16 i32.add local.get 7 i32.store local.get 2
i32.const 12 i32.add local.get 9 i32.store local.get 2 i32.const 8 i32.add local.get 8 i32.store
local.get 2 i32.const 4 i32.add local.get 5 i32.store local.get 1 local.get 3 i32.const 1 i32.add
local.tee 3 i32.store offset=112 local.get 0 i32.const 16 i32.add local.set 0 local.get 4 i32.const
24 i32.add local.set 4 local.get 10 local.get 3 i32.ne br_if 0 end local.get 11 local.get 10
i32.const 4 i32.shl call 60 end block block i32.const 6 call 66 local.tee 6 i32.eqz br_if 0
i32.const 0 local.set 2 local.get 6 i32.const 0 i32.load16_u offset=1049395 align=1 i32.store16
offset=4 align=1 local.get 6 i32.const 0 i32.load offset=1049391 align=1 i32.store align=1 local.get
1 i64.const 0 i64.store offset=16 i32.const 1049397 i32.const 5 local.get 1 i32.const 16 i32.add
call 53 local.get 1 i32.load offset=20 local.tee 5 i32.const 12 i32.mul local.set 0 block local.get
5 i32.const 178956970 i32.gt_u br_if 0 local.get 1 i32.load offset=16 local.set 10 block local.get 0
br_if 0 i32.const 4 local.set 7 i32.const 0 local.set 2 br 3 end local.get 5 local.set 2 local.get 0
call 66 local.tee 7 br_if 2 i32.const 4 local.set 2 end local.get 2 local.get 0 call 67 unreachable
end i32.const 1 i32.const 6 call 67 unreachable end local.get 1 i32.const 0 i32.store offset=124
local.get 1 local.get 7 i32.store offset=120 local.get 1 local.get 2 i32.store offset=116 block
local.get 5 i32.eqz br_if 0 i32.const 0 local.set 0 local.get 10 local.set 2 i32.const 8 local.set 3
loop local.get 2 i32.const 4 i32.add i32.load local.set 4 local.get 2 i32.load local.set 8 block
local.get 0 local.get 1 i32.load offset=116 i32.ne br_if 0 local.get 1 i32.const 116 i32.add call 68
local.get 1 i32.load offset=120 local.set 7 end local.get 7 local.get 3 i32.add local.tee 9
local.get 4 i32.store local.get 9 i32.const -4 i32.add local.get 8 i32.store local.get 9 i32.const
-8 i32.add local.get 4 i32.store local.get 1 local.get 0 i32.const 1 i32.add local.tee 0 i32.store
offset=124 local.get 2 i32.const 8 i32.add local.set 2 local.get 3 i32.const 12 i32.add local.set 3
local.get 5 local.get 0 i32.ne br_if 0 end local.get 10 local.get 5 i32.const 3 i32.shl call 60 end
local.get 1 i32.const 16 i32.add local.get 1 i32.const 116 i32.add call 89 block local.get 1
i32.load offset=112 local.tee 2 local.get 1 i32.load offset=104 i32.ne br_if 0 local.get 1 i32.const
104 i32.add call 96 end local.get 1 i32.load offset=108 local.tee 4 local.get 2 i32.const 24 i32.mul
local.tee 9 i32.add local.tee 0 i32.const 6 i32.store offset=8 local.get 0 local.get 6 i32.store
offset=4 local.get 0 i32.const 6 i32.store local.get 0 local.get 1 i64.load offset=16 align=4
i64.store offset=12 align=4 local.get 0 local.get 1 i32.load offset=24 i32.store offset=20 local.get
1 local.get 2 i32.const 1 i32.add local.tee 8 i32.store offset=112 local.get 1 i32.const 16 i32.add
local.get 8 i32.const 4 i32.shl call 76 local.get 1 i32.load offset=28 local.set 6 local.get 1
i32.load offset=24 local.set 10 local.get 1 i32.load offset=20 local.set 5 local.get 1 i32.load
offset=16 local.set 7 block local.get 8 i32.eqz br_if 0 i32.const -24 local.set 2 local.get 7
local.set 0 loop local.get 0 local.get 4 local.get 2 i32.add local.tee 3 i32.const 28 i32.add
i64.load align=4 i64.store align=4 local.get 0 i32.const 8 i32.add local.get 3 i32.const 40 i32.add
i64.load align=4 i64.store align=4 local.get 0 i32.const 16 i32.add local.set 0 local.get 9
local.get 2 i32.const 24 i32.add local.tee 2 i32.ne br_if 0 end end local.get 7 local.get 8
local.get 1 i32.const 16 i32.add call 54 block block local.get 1 i32.load8_u offset=16 br_if 0
i32.const -2147483644 local.set 0 br 1 end local.get 1 i32.load8_u offset=20 local.tee 0 i32.const
-2147483648 i32.or local.get 1 i32.load offset=28 local.get 0 i32.const 4 i32.lt_u select local.set
0 local.get 1 i32.load offset=24 local.set 2 end block local.get 5 i32.eqz br_if 0 local.get 10
local.get 6 call 72 end block local.get 0 i32.const -2147483643 i32.lt_s br_if 0 local.get 0 i32.eqz
br_if 0 local.get 2 local.get 0 call 60 end local.get 1 i32.const 104 i32.add call 64 local.get 1
i32.const 88 i32.add call 63 i32.const 0 i32.const 0 i32.store8 offset=1050240 i32.const 0 i32.const
0 i32.store8 offset=1050232 end local.get 1 i32.const 128 i32.add global.set 0 i32.const 1050232)
(func (type 1) (param i32 i32) (result i32) (local i32 i32) global.get 0 i32.const 32 i32.sub
local.tee 2 global.set 0 block i32.const 0 i32.load8_u offset=1050777 br_if 0 call 55 i32.const 0
i32.const 1 i32.store8 offset=1050777 end block block block block local.get 1 i32.eqz br_if 0
local.get 0 i32.load8_u i32.const 123 i32.eq br_if 1 end i32.const 19 call 66 local.tee 3 i32.eqz
br_if 2 local.get 3 i32.const 0 i32.load offset=1049147 align=1 i32.store offset=15 align=1
local.get 3 i32.const 0 i64.load offset=1049140 align=1 i64.store offset=8 align=1 local.get 3
i32.const 0 i64.load offset=1049132 align=1 i64.store align=1 block local.get 1 i32.eqz br_if 0
local.get 0 local.get 1 call 60 end i32.const 0 i32.const 1 i32.store8 offset=1050296 local.get 2
i32.const 19 i32.store offset=28 local.get 2 local.get 3 i32.store offset=24 local.get 2 i32.const
19 i32.store offset=20 local.get 2 i32.const 8 i32.add local.get 2 i32.const 20 i32.add call 91
i32.const 0 local.get 2 i64.load offset=8 i64.store offset=1050300 align=4 br 1 end local.get 0
local.get 1 call 60 i32.const 0 i32.const 0 i32.store8 offset=1050296 end local.get 2 i32.const 32
i32.add global.set 0 i32.const 1050296 return end i32.const 1 i32.const 19 call 67 unreachable)
(func (type 13) (result i32) block i32.const 0 i32.load8_u offset=1050777 br_if 0 call 55 i32.const
0 i32.const 1 i32.store8 offset=1050777 end i32.const 0 i64.const 60000 i64.store offset=1050288
i32.const 0 i32.const 1 i32.store8 offset=1050280 i32.const 0 i32.const 0 i32.store8 offset=1050272
i32.const 1050272)
(func (type 15) i32.const 1049429 i32.const 35 i32.const 1049448 call 94 unreachable)
(func (type 5) (param i32 i32 i32 i32) block block local.get 3 i32.const -1 i32.gt_s br_if 0
i32.const 1 local.set 1 i32.const 0 local.set 3 i32.const 4 local.set 2 br 1 end block block
local.get 1 i32.eqz br_if 0 local.get 2 local.get 1 i32.const 1 local.get 3 call 92 local.set 1 br 1
end local.get 3 call 66 local.set 1 end block block local.get 1 br_if 0 i32.const 1 local.set 1
local.get 0 i32.const 1 i32.store offset=4 br 1 end local.get 0 local.get 1 i32.store offset=4
i32.const 0 local.set 1 end i32.const 8 local.set 2 end local.get 0 local.get 2 i32.add local.get 3
i32.store local.get 0 local.get 1 i32.store)
(func (type 2) (param i32 i32) local.get 1 local.get 0 call 141 unreachable)
(func (type 10) (param i32) (local i32 i32 i32 i32) local.get 0 i32.const -8 i32.add local.tee 1
local.get 0 i32.const -4 i32.add i32.load local.tee 2 i32.const -8 i32.and local.tee 0 i32.add
local.set 3 block block local.get 2 i32.const 1 i32.and br_if 0 local.get 2 i32.const 2 i32.and
i32.eqz br_if 1 local.get 1 i32.load local.tee 2 local.get 0 i32.add local.set 0 block local.get 1
local.get 2 i32.sub local.tee 1 i32.const 0 i32.load offset=1050748 i32.ne br_if 0 local.get 3
i32.load offset=4 i32.const 3 i32.and i32.const 3 i32.ne br_if 1 i32.const 0 local.get 0 i32.store
offset=1050740 local.get 3 local.get 3 i32.load offset=4 i32.const -2 i32.and i32.store offset=4
local.get 1 local.get 0 i32.const 1 i32.or i32.store offset=4 local.get 3 local.get 0 i32.store
return end local.get 1 local.get 2 call 113 end block block block block block block block block
local.get 3 i32.load offset=4 local.tee 2 i32.const 2 i32.and br_if 0 local.get 3 i32.const 0
i32.load offset=1050752 i32.eq br_if 2 local.get 3 i32.const 0 i32.load offset=1050748 i32.eq br_if
3 local.get 3 local.get 2 i32.const -8 i32.and local.tee 2 call 113 local.get 1 local.get 2
local.get 0 i32.add local.tee 0 i32.const 1 i32.or i32.store offset=4 local.get 1 local.get 0
i32.add local.get 0 i32.store local.get 1 i32.const 0 i32.load offset=1050748 i32.ne br_if 1
i32.const 0 local.get 0 i32.store offset=1050740 return end local.get 3 local.get 2 i32.const -2
i32.and i32.store offset=4 local.get 1 local.get 0 i32.const 1 i32.or i32.store offset=4 local.get 1
local.get 0 i32.add local.get 0 i32.store end local.get 0 i32.const 256 i32.lt_u br_if 4 local.get 1
local.get 0 call 140 i32.const 0 i32.const 0 i32.load offset=1050772 i32.const -1 i32.add local.tee
1 i32.store offset=1050772 local.get 1 br_if 6 i32.const 0 i32.load offset=1050460 local.tee 0 br_if
2 i32.const 4095 local.set 1 br 3 end i32.const 0 local.get 1 i32.store offset=1050752 i32.const 0
i32.const 0 i32.load offset=1050744 local.get 0 i32.add local.tee 0 i32.store offset=1050744
local.get 1 local.get 0 i32.const 1 i32.or i32.store offset=4 block local.get 1 i32.const 0 i32.load
offset=1050748 i32.ne br_if 0 i32.const 0 i32.const 0 i32.store offset=1050740 i32.const 0 i32.const
0 i32.store offset=1050748 end local.get 0 i32.const 0 i32.load offset=1050764 local.tee 2 i32.le_u
br_if 5 i32.const 0 i32.load offset=1050752 local.tee 0 i32.eqz br_if 5 i32.const 0 i32.load
offset=1050744 local.tee 4 i32.const 41 i32.lt_u br_if 4 i32.const 1050452 local.set 1 loop block
local.get 1 i32.load local.tee 3 local.get 0 i32.gt_u br_if 0 local.get 0 local.get 3 local.get 1
i32.load offset=4 i32.add i32.lt_u br_if 6 end local.get 1 i32.load offset=8 local.set 1 br 0 end
end i32.const 0 local.get 1 i32.store offset=1050748 i32.const 0 i32.const 0 i32.load offset=1050740
local.get 0 i32.add local.tee 0 i32.store offset=1050740 local.get 1 local.get 0 i32.const 1 i32.or
i32.store offset=4 local.get 1 local.get 0 i32.add local.get 0 i32.store return end i32.const 0
local.set 1 loop local.get 1 i32.const 1 i32.add local.set 1 local.get 0 i32.load offset=8 local.tee
0 br_if 0 end local.get 1 i32.const 4095 local.get 1 i32.const 4095 i32.gt_u select local.set 1 end
i32.const 0 local.get 1 i32.store offset=1050772 return end block block i32.const 0 i32.load
offset=1050732 local.tee 3 i32.const 1 local.get 0 i32.const 3 i32.shr_u i32.shl local.tee 2 i32.and
br_if 0 i32.const 0 local.get 3 local.get 2 i32.or i32.store offset=1050732 local.get 0 i32.const
248 i32.and i32.const 1050468 i32.add local.tee 0 local.set 3 br 1 end local.get 0 i32.const 248
i32.and local.tee 0 i32.const 1050468 i32.add local.set 3 local.get 0 i32.const 1050476 i32.add
i32.load local.set 0 end local.get 3 local.get 1 i32.store offset=8 local.get 0 local.get 1
i32.store offset=12 local.get 1 local.get 3 i32.store offset=12 local.get 1 local.get 0 i32.store
offset=8 return end block block i32.const 0 i32.load offset=1050460 local.tee 0 br_if 0 i32.const
4095 local.set 1 br 1 end i32.const 0 local.set 1 loop local.get 1 i32.const 1 i32.add local.set 1
local.get 0 i32.load offset=8 local.tee 0 br_if 0 end local.get 1 i32.const 4095 local.get 1
i32.const 4095 i32.gt_u select local.set 1 end i32.const 0 local.get 1 i32.store offset=1050772
local.get 4 local.get 2 i32.le_u br_if 0 i32.const 0 i32.const -1 i32.store offset=1050764 end)
(func (type 2) (param i32 i32) local.get 0 i32.const 93 local.get 1 call 94 unreachable)
(func (type 1) (param i32 i32) (result i32) (local i32 i32 i32 i32 i32) i32.const 0 local.set 2
block local.get 1 i32.const -65587 local.get 0 i32.const 16 local.get 0 i32.const 16 i32.gt_u select
local.tee 0 i32.sub i32.ge_u br_if 0 local.get 0 i32.const 16 local.get 1 i32.const 11 i32.add
i32.const -8 i32.and local.get 1 i32.const 11 i32.lt_u select local.tee 3 i32.add i32.const 12
i32.add call 66 local.tee 1 i32.eqz br_if 0 local.get 1 i32.const -8 i32.add local.set 2 block block
local.get 0 i32.const -1 i32.add local.tee 4 local.get 1 i32.and br_if 0 local.get 2 local.set 0 br
1 end local.get 1 i32.const -4 i32.add local.tee 5 i32.load local.tee 6 i32.const -8 i32.and
local.get 4 local.get 1 i32.add i32.const 0 local.get 0 i32.sub i32.and i32.const -8 i32.add
local.tee 1 i32.const 0 local.get 0 local.get 1 local.get 2 i32.sub i32.const 16 i32.gt_u select
i32.add local.tee 0 local.get 2 i32.sub local.tee 1 i32.sub local.set 4 block local.get 6 i32.const
3 i32.and i32.eqz br_if 0 local.get 0 local.get 4 local.get 0 i32.load offset=4 i32.const 1 i32.and
i32.or i32.const 2 i32.or i32.store offset=4 local.get 0 local.get 4 i32.add local.tee 4 local.get 4
i32.load offset=4 i32.const 1 i32.or i32.store offset=4 local.get 5 local.get 1 local.get 5 i32.load
i32.const 1 i32.and i32.or i32.const 2 i32.or i32.store local.get 2 local.get 1 i32.add local.tee 4
local.get 4 i32.load offset=4 i32.const 1 i32.or i32.store offset=4 local.get 2 local.get 1 call 114
br 1 end local.get 2 i32.load local.set 2 local.get 0 local.get 4 i32.store offset=4 local.get 0
local.get 2 local.get 1 i32.add i32.store end block local.get 0 i32.load offset=4 local.tee 1
i32.const 3 i32.and i32.eqz br_if 0 local.get 1 i32.const -8 i32.and local.tee 2 local.get 3
i32.const 16 i32.add i32.le_u br_if 0 local.get 0 local.get 3 local.get 1 i32.const 1 i32.and i32.or
i32.const 2 i32.or i32.store offset=4 local.get 0 local.get 3 i32.add local.tee 1 local.get 2
local.get 3 i32.sub local.tee 3 i32.const 3 i32.or i32.store offset=4 local.get 0 local.get 2
i32.add local.tee 2 local.get 2 i32.load offset=4 i32.const 1 i32.or i32.store offset=4 local.get 1
local.get 3 call 114 end local.get 0 i32.const 8 i32.add local.set 2 end local.get 2)
(func (type 2) (param i32 i32) (local i32 i32 i32 i32) local.get 0 i32.load offset=12 local.set 2
block block block block local.get 1 i32.const 256 i32.lt_u br_if 0 local.get 0 i32.load offset=24
local.set 3 block block block local.get 2 local.get 0 i32.ne br_if 0 local.get 0 i32.const 20
i32.const 16 local.get 0 i32.load offset=20 local.tee 2 select i32.add i32.load local.tee 1 br_if 1
i32.const 0 local.set 2 br 2 end local.get 0 i32.load offset=8 local.tee 1 local.get 2 i32.store
offset=12 local.get 2 local.get 1 i32.store offset=8 br 1 end local.get 0 i32.const 20 i32.add
local.get 0 i32.const 16 i32.add local.get 2 select local.set 4 loop local.get 4 local.set 5
local.get 1 local.tee 2 i32.const 20 i32.add local.get 2 i32.const 16 i32.add local.get 2 i32.load
offset=20 local.tee 1 select local.set 4 local.get 2 i32.const 20 i32.const 16 local.get 1 select
i32.add i32.load local.tee 1 br_if 0 end local.get 5 i32.const 0 i32.store end local.get 3 i32.eqz
br_if 2 block block local.get 0 local.get 0 i32.load offset=28 i32.const 2 i32.shl i32.const 1050324
i32.add local.tee 1 i32.load i32.eq br_if 0 local.get 3 i32.load offset=16 local.get 0 i32.eq br_if
1 local.get 3 local.get 2 i32.store offset=20 local.get 2 br_if 3 br 4 end local.get 1 local.get 2
i32.store local.get 2 i32.eqz br_if 4 br 2 end local.get 3 local.get 2 i32.store offset=16 local.get
2 br_if 1 br 2 end block local.get 2 local.get 0 i32.load offset=8 local.tee 4 i32.eq br_if 0
local.get 4 local.get 2 i32.store offset=12 local.get 2 local.get 4 i32.store offset=8 return end
i32.const 0 i32.const 0 i32.load offset=1050732 i32.const -2 local.get 1 i32.const 3 i32.shr_u
i32.rotl i32.and i32.store offset=1050732 return end local.get 2 local.get 3 i32.store offset=24
block local.get 0 i32.load offset=16 local.tee 1 i32.eqz br_if 0 local.get 2 local.get 1 i32.store
offset=16 local.get 1 local.get 2 i32.store offset=24 end local.get 0 i32.load offset=20 local.tee 1
i32.eqz br_if 0 local.get 2 local.get 1 i32.store offset=20 local.get 1 local.get 2 i32.store
offset=24 return end return end i32.const 0 i32.const 0 i32.load offset=1050736 i32.const -2
local.get 0 i32.load offset=28 i32.rotl i32.and i32.store offset=1050736)
(func (type 2) (param i32 i32) (local i32 i32) local.get 0 local.get 1 i32.add local.set 2 block
block local.get 0 i32.load offset=4 local.tee 3 i32.const 1 i32.and br_if 0 local.get 3 i32.const 2
i32.and i32.eqz br_if 1 local.get 0 i32.load local.tee 3 local.get 1 i32.add local.set 1 block
local.get 0 local.get 3 i32.sub local.tee 0 i32.const 0 i32.load offset=1050748 i32.ne br_if 0
local.get 2 i32.load offset=4 i32.const 3 i32.and i32.const 3 i32.ne br_if 1 i32.const 0 local.get 1
i32.store offset=1050740 local.get 2 local.get 2 i32.load offset=4 i32.const -2 i32.and i32.store
offset=4 local.get 0 local.get 1 i32.const 1 i32.or i32.store offset=4 local.get 2 local.get 1
i32.store br 2 end local.get 0 local.get 3 call 113 end block block block block local.get 2 i32.load
offset=4 local.tee 3 i32.const 2 i32.and br_if 0 local.get 2 i32.const 0 i32.load offset=1050752
i32.eq br_if 2 local.get 2 i32.const 0 i32.load offset=1050748 i32.eq br_if 3 local.get 2 local.get
3 i32.const -8 i32.and local.tee 3 call 113 local.get 0 local.get 3 local.get 1 i32.add local.tee 1
i32.const 1 i32.or i32.store offset=4 local.get 0 local.get 1 i32.add local.get 1 i32.store
local.get 0 i32.const 0 i32.load offset=1050748 i32.ne br_if 1 i32.const 0 local.get 1 i32.store
offset=1050740 return end local.get 2 local.get 3 i32.const -2 i32.and i32.store offset=4 local.get
0 local.get 1 i32.const 1 i32.or i32.store offset=4 local.get 0 local.get 1 i32.add local.get 1
i32.store end block local.get 1 i32.const 256 i32.lt_u br_if 0 local.get 0 local.get 1 call 140
return end block block i32.const 0 i32.load offset=1050732 local.tee 2 i32.const 1 local.get 1
i32.const 3 i32.shr_u i32.shl local.tee 3 i32.and br_if 0 i32.const 0 local.get 2 local.get 3 i32.or
i32.store offset=1050732 local.get 1 i32.const 248 i32.and i32.const 1050468 i32.add local.tee 1
local.set 2 br 1 end local.get 1 i32.const 248 i32.and local.tee 1 i32.const 1050468 i32.add
local.set 2 local.get 1 i32.const 1050476 i32.add i32.load local.set 1 end local.get 2 local.get 0
i32.store offset=8 local.get 1 local.get 0 i32.store offset=12 local.get 0 local.get 2 i32.store
offset=12 local.get 0 local.get 1 i32.store offset=8 return end i32.const 0 local.get 0 i32.store
offset=1050752 i32.const 0 i32.const 0 i32.load offset=1050744 local.get 1 i32.add local.tee 1
i32.store offset=1050744 local.get 0 local.get 1 i32.const 1 i32.or i32.store offset=4 local.get 0
i32.const 0 i32.load offset=1050748 i32.ne br_if 1 i32.const 0 i32.const 0 i32.store offset=1050740
i32.const 0 i32.const 0 i32.store offset=1050748 return end i32.const 0 local.get 0 i32.store
offset=1050748 i32.const 0 i32.const 0 i32.load offset=1050740 local.get 1 i32.add local.tee 1
i32.store offset=1050740 local.get 0 local.get 1 i32.const 1 i32.or i32.store offset=4 local.get 0
local.get 1 i32.add local.get 1 i32.store return end)
(func (type 1) (param i32 i32) (result i32) (local i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32)
local.get 0 i32.load offset=4 local.set 2 local.get 0 i32.load local.set 3 block block local.get 1
i32.load offset=8 local.tee 4 i32.const 402653184 i32.and i32.eqz br_if 0 block block local.get 4
i32.const 268435456 i32.and br_if 0 block local.get 2 i32.const 16 i32.lt_u br_if 0 local.get 2
local.get 3 local.get 3 i32.const 3 i32.add i32.const -4 i32.and local.tee 5 i32.sub local.tee 6
i32.add local.tee 7 i32.const 3 i32.and local.set 8 i32.const 0 local.set 9 i32.const 0 local.set 10
block local.get 3 local.get 5 i32.eq br_if 0 i32.const 0 local.set 10 local.get 3 local.set 0 loop
local.get 10 local.get 0 i32.load8_s i32.const -65 i32.gt_s i32.add local.set 10 local.get 0
i32.const 1 i32.add local.set 0 local.get 6 i32.const 1 i32.add local.tee 6 br_if 0 end end block
local.get 8 i32.eqz br_if 0 local.get 5 local.get 7 i32.const 2147483644 i32.and i32.add local.set 0
i32.const 0 local.set 9 loop local.get 9 local.get 0 i32.load8_s i32.const -65 i32.gt_s i32.add
local.set 9 local.get 0 i32.const 1 i32.add local.set 0 local.get 8 i32.const -1 i32.add local.tee 8
br_if 0 end end local.get 7 i32.const 2 i32.shr_u local.set 6 local.get 9 local.get 10 i32.add
local.set 10 loop local.get 5 local.set 7 local.get 6 i32.eqz br_if 3 local.get 6 i32.const 192
local.get 6 i32.const 192 i32.lt_u select local.tee 11 i32.const 3 i32.and local.set 12 block block
local.get 11 i32.const 2 i32.shl local.tee 13 i32.const 1008 i32.and local.tee 0 br_if 0 i32.const 0
local.set 9 br 1 end local.get 7 local.get 0 i32.add local.set 5 i32.const 0 local.set 9 local.get 7
local.set 0 loop local.get 0 i32.const 12 i32.add i32.load local.tee 8 i32.const -1 i32.xor
i32.const 7 i32.shr_u local.get 8 i32.const 6 i32.shr_u i32.or i32.const 16843009 i32.and local.get
0 i32.const 8 i32.add i32.load local.tee 8 i32.const -1 i32.xor i32.const 7 i32.shr_u local.get 8
i32.const 6 i32.shr_u i32.or i32.const 16843009 i32.and local.get 0 i32.const 4 i32.add i32.load
local.tee 8 i32.const -1 i32.xor i32.const 7 i32.shr_u local.get 8 i32.const 6 i32.shr_u i32.or
i32.const 16843009 i32.and local.get 0 i32.load local.tee 8 i32.const -1 i32.xor i32.const 7
i32.shr_u local.get 8 i32.const 6 i32.shr_u i32.or i32.const 16843009 i32.and local.get 9 i32.add
i32.add i32.add i32.add local.set 9 local.get 0 i32.const 16 i32.add local.tee 0 local.get 5 i32.ne
br_if 0 end end local.get 6 local.get 11 i32.sub local.set 6 local.get 7 local.get 13 i32.add
local.set 5 local.get 9 i32.const 8 i32.shr_u i32.const 16711935 i32.and local.get 9 i32.const
16711935 i32.and i32.add i32.const 65537 i32.mul i32.const 16 i32.shr_u local.get 10 i32.add
local.set 10 local.get 12 i32.eqz br_if 0 end local.get 12 i32.const 2 i32.shl local.set 8 local.get
7 local.get 11 i32.const 252 i32.and i32.const 2 i32.shl i32.add local.set 0 i32.const 0 local.set 9
loop local.get 0 i32.load local.tee 5 i32.const -1 i32.xor i32.const 7 i32.shr_u local.get 5
i32.const 6 i32.shr_u i32.or i32.const 16843009 i32.and local.get 9 i32.add local.set 9 local.get 0
i32.const 4 i32.add local.set 0 local.get 8 i32.const -4 i32.add local.tee 8 br_if 0 end local.get 9
i32.const 8 i32.shr_u i32.const 16711935 i32.and local.get 9 i32.const 16711935 i32.and i32.add
i32.const 65537 i32.mul i32.const 16 i32.shr_u local.get 10 i32.add local.set 10 br 2 end i32.const
0 local.set 10 local.get 2 i32.eqz br_if 1 local.get 3 local.set 0 local.get 2 local.set 9 loop
local.get 10 local.get 0 i32.load8_s i32.const -65 i32.gt_s i32.add local.set 10 local.get 0
i32.const 1 i32.add local.set 0 local.get 9 i32.const -1 i32.add local.tee 9 br_if 0 br 2 end end
block block block local.get 1 i32.load16_u offset=14 local.tee 10 br_if 0 i32.const 0 local.set 2 br
1 end local.get 3 local.get 2 i32.add local.set 5 i32.const 0 local.set 2 local.get 3 local.set 9
local.get 10 local.set 8 loop local.get 9 local.tee 0 local.get 5 i32.eq br_if 2 block block
local.get 0 i32.load8_s local.tee 9 i32.const -1 i32.le_s br_if 0 local.get 0 i32.const 1 i32.add
local.set 9 br 1 end block local.get 9 i32.const -32 i32.ge_u br_if 0 local.get 0 i32.const 2
i32.add local.set 9 br 1 end local.get 0 i32.const 4 i32.const 3 local.get 9 i32.const -17 i32.gt_u
select i32.add local.set 9 end local.get 9 local.get 0 i32.sub local.get 2 i32.add local.set 2
local.get 8 i32.const -1 i32.add local.tee 8 br_if 0 end end i32.const 0 local.set 8 end local.get
10 local.get 8 i32.sub local.set 10 end local.get 10 local.get 1 i32.load16_u offset=12 local.tee 0
i32.lt_u br_if 1 end local.get 1 i32.load local.get 3 local.get 2 local.get 1 i32.load offset=4
i32.load offset=12 call_indirect (type 0) return end local.get 0 local.get 10 i32.sub local.set 7
i32.const 0 local.set 0 i32.const 0 local.set 6 block block block local.get 4 i32.const 29 i32.shr_u
i32.const 3 i32.and br_table 2 0 1 2 2 end local.get 7 local.set 6 br 1 end local.get 7 i32.const
65534 i32.and i32.const 1 i32.shr_u local.set 6 end local.get 4 i32.const 2097151 i32.and local.set
10 local.get 1 i32.load offset=4 local.set 9 local.get 1 i32.load local.set 8 block block loop
local.get 0 i32.const 65535 i32.and local.get 6 i32.const 65535 i32.and i32.ge_u br_if 1 i32.const 1
local.set 5 local.get 0 i32.const 1 i32.add local.set 0 local.get 8 local.get 10 local.get 9
i32.load offset=16 call_indirect (type 1) i32.eqz br_if 0 br 2 end end i32.const 1 local.set 5
local.get 8 local.get 3 local.get 2 local.get 9 i32.load offset=12 call_indirect (type 0) br_if 0
local.get 7 local.get 6 i32.sub i32.const 65535 i32.and local.set 6 i32.const 0 local.set 0 loop
block local.get 0 i32.const 65535 i32.and local.get 6 i32.lt_u br_if 0 i32.const 0 return end
i32.const 1 local.set 5 local.get 0 i32.const 1 i32.add local.set 0 local.get 8 local.get 10
local.get 9 i32.load offset=16 call_indirect (type 1) i32.eqz br_if 0 end end local.get 5)
(func (type 10) (param i32) (local i32 i64) global.get 0 i32.const 16 i32.sub local.tee 1 global.set
0 local.get 0 i64.load align=4 local.set 2 local.get 1 local.get 0 i32.store offset=12 local.get 1
local.get 2 i64.store offset=4 align=4 local.get 1 i32.const 4 i32.add call 123 unreachable)
(func (type 20) (param i32 i32 i32 i32) (result i32) (local i32 i32 i32 i32 i32 i32 i32 i32)
global.get 0 i32.const 16 i32.sub local.tee 4 global.set 0 block block block local.get 3 i32.const 1
i32.and br_if 0 local.get 2 i32.load8_u local.tee 5 br_if 1 i32.const 0 local.set 5 br 2 end
local.get 0 local.get 2 local.get 3 i32.const 1 i32.shr_u local.get 1 i32.load offset=12
call_indirect (type 0) local.set 5 br 1 end local.get 1 i32.load offset=12 local.set 6 i32.const 0
local.set 7 loop local.get 2 i32.const 1 i32.add local.set 8 block block block block block local.get
5 i32.extend8_s i32.const -1 i32.gt_s br_if 0 local.get 5 i32.const 255 i32.and local.tee 9
i32.const 128 i32.eq br_if 1 local.get 9 i32.const 192 i32.ne br_if 3 local.get 4 local.get 1
i32.store offset=4 local.get 4 local.get 0 i32.store local.get 4 i64.const 1610612768 i64.store
offset=8 align=4 local.get 3 local.get 7 i32.const 3 i32.shl i32.add local.tee 5 i32.load local.get
4 local.get 5 i32.load offset=4 call_indirect (type 1) i32.eqz br_if 2 i32.const 1 local.set 5 br 6
end block local.get 0 local.get 8 local.get 5 i32.const 255 i32.and local.tee 5 local.get 6
call_indirect (type 0) br_if 0 local.get 8 local.get 5 i32.add local.set 2 br 4 end i32.const 1
local.set 5 br 5 end block local.get 0 local.get 2 i32.const 3 i32.add local.tee 5 local.get 2
i32.load16_u offset=1 align=1 local.tee 2 local.get 6 call_indirect (type 0) br_if 0 local.get 5
local.get 2 i32.add local.set 2 br 3 end i32.const 1 local.set 5 br 4 end local.get 7 i32.const 1
i32.add local.set 7 local.get 8 local.set 2 br 1 end i32.const 1610612768 local.set 10 block
local.get 5 i32.const 1 i32.and i32.eqz br_if 0 local.get 2 i32.const 5 i32.add local.set 8
local.get 2 i32.load offset=1 align=1 local.set 10 end i32.const 0 local.set 9 block block local.get
5 i32.const 2 i32.and br_if 0 i32.const 0 local.set 11 local.get 8 local.set 2 br 1 end local.get 8
i32.const 2 i32.add local.set 2 local.get 8 i32.load16_u align=1 local.set 11 end block block
local.get 5 i32.const 4 i32.and br_if 0 local.get 2 local.set 8 br 1 end local.get 2 i32.const 2
i32.add local.set 8 local.get 2 i32.load16_u align=1 local.set 9 end block block local.get 5
i32.const 8 i32.and br_if 0 local.get 8 local.set 2 br 1 end local.get 8 i32.const 2 i32.add
local.set 2 local.get 8 i32.load16_u align=1 local.set 7 end block local.get 5 i32.const 16 i32.and
i32.eqz br_if 0 local.get 3 local.get 11 i32.const 65535 i32.and i32.const 3 i32.shl i32.add
i32.load16_u offset=4 local.set 11 end block local.get 5 i32.const 32 i32.and i32.eqz br_if 0
local.get 3 local.get 9 i32.const 65535 i32.and i32.const 3 i32.shl i32.add i32.load16_u offset=4
local.set 9 end local.get 4 local.get 9 i32.store16 offset=14 local.get 4 local.get 11 i32.store16
offset=12 local.get 4 local.get 10 i32.store offset=8 local.get 4 local.get 1 i32.store offset=4
local.get 4 local.get 0 i32.store block local.get 3 local.get 7 i32.const 3 i32.shl i32.add
local.tee 5 i32.load local.get 4 local.get 5 i32.load offset=4 call_indirect (type 1) i32.eqz br_if
0 i32.const 1 local.set 5 br 3 end local.get 7 i32.const 1 i32.add local.set 7 end local.get 2
i32.load8_u local.tee 5 br_if 0 end i32.const 0 local.set 5 end local.get 4 i32.const 16 i32.add
global.set 0 local.get 5)
(func (type 5) (param i32 i32 i32 i32) (local i32 i32) global.get 0 i32.const 16 i32.sub local.tee 4
global.set 0 i32.const 0 i32.const 0 i32.load offset=1050320 local.tee 5 i32.const 1 i32.add
i32.store offset=1050320 block block block local.get 5 i32.const 0 i32.lt_s br_if 0 block block
i32.const 0 i32.load8_u offset=1050312 br_if 0 i32.const 0 i32.const 1 i32.store8 offset=1050312
i32.const 0 i32.const 0 i32.load offset=1050308 i32.const 1 i32.add i32.store offset=1050308
i32.const 0 i32.load offset=1050316 local.tee 5 i32.const -1 i32.le_s br_if 2 local.get 5 i32.const
1 i32.add local.tee 1 local.get 5 i32.ge_s br_if 1 i32.const 1049960 i32.const 28 i32.const 1049988
call 93 unreachable end local.get 4 i32.const 8 i32.add local.get 0 local.get 1 i32.load offset=24
call_indirect (type 2) unreachable end i32.const 0 local.get 1 i32.const -1 i32.add i32.store
offset=1050316 local.get 1 i32.const 0 i32.le_s br_if 1 i32.const 0 i32.const 0 i32.store8
offset=1050312 local.get 2 br_if 2 end unreachable end i32.const 1050036 i32.const 77 i32.const
1050076 call 94 unreachable end call 119 unreachable)
(func (type 15) unreachable)
(func (type 2) (param i32 i32) local.get 0 i32.const 0 i32.store)
(func (type 2) (param i32 i32) local.get 0 i32.const 0 i64.load offset=1049784 align=4 i64.store
offset=8 align=4 local.get 0 i32.const 0 i64.load offset=1049776 align=4 i64.store align=4)
(func (type 2) (param i32 i32) i32.const 0 i32.const 1 i32.store8 offset=1050776 unreachable)
(func (type 10) (param i32) local.get 0 call 124 unreachable)
(func (type 10) (param i32) (local i32 i32 i32) global.get 0 i32.const 16 i32.sub local.tee 1
global.set 0 block local.get 0 i32.load local.tee 2 i32.load offset=4 local.tee 3 i32.const 1
i32.and i32.eqz br_if 0 local.get 2 i32.load local.set 2 local.get 1 local.get 3 i32.const 1
i32.shr_u i32.store offset=4 local.get 1 local.get 2 i32.store local.get 1 i32.const 1049720
local.get 0 i32.load offset=8 local.tee 0 i32.load8_u offset=8 local.get 0 i32.load8_u offset=9 call
118 unreachable end local.get 1 i32.const -2147483648 i32.store local.get 1 local.get 0 i32.store
offset=12 local.get 1 i32.const 1049748 local.get 0 i32.load offset=8 local.tee 0 i32.load8_u
offset=8 local.get 0 i32.load8_u offset=9 call 118 unreachable)
(func (type 10) (param i32) (local i32) block local.get 0 i32.load local.tee 1 i32.const 1 i32.lt_s
br_if 0 local.get 0 i32.load offset=4 local.get 1 call 60 end)
(func (type 1) (param i32 i32) (result i32) (local i32 i32) block local.get 0 i32.load i32.const
-2147483648 i32.eq br_if 0 local.get 1 i32.load local.get 0 i32.load offset=4 local.get 0 i32.load
offset=8 local.get 1 i32.load offset=4 i32.load offset=12 call_indirect (type 0) return end
local.get 1 i32.load offset=4 local.set 2 local.get 1 i32.load local.set 1 local.get 0 i32.load
offset=12 i32.load local.tee 0 i32.load local.set 3 block local.get 0 i32.load offset=4 local.tee 0
i32.const 1 i32.and i32.eqz br_if 0 local.get 1 local.get 3 local.get 0 i32.const 1 i32.shr_u
local.get 2 i32.load offset=12 call_indirect (type 0) return end local.get 1 local.get 2 local.get 3
local.get 0 call 117)
(func (type 2) (param i32 i32) (local i32 i32 i32 i32 i64) global.get 0 i32.const 48 i32.sub
local.tee 2 global.set 0 block local.get 1 i32.load i32.const -2147483648 i32.ne br_if 0 local.get 1
i32.load offset=12 local.set 3 i32.const 0 local.set 4 local.get 2 i32.const 0 i32.store offset=44
local.get 2 i64.const 4294967296 i64.store offset=36 align=4 local.get 3 i32.load local.tee 3
i32.load local.set 5 block block local.get 3 i32.load offset=4 local.tee 3 i32.const 1 i32.and
i32.eqz br_if 0 block local.get 3 i32.const 1 i32.shr_u local.tee 3 i32.eqz br_if 0 local.get 2
i32.const 36 i32.add i32.const 0 local.get 3 call 128 local.get 2 i32.load offset=44 local.set 4
local.get 3 i32.eqz br_if 0 local.get 2 i32.load offset=40 local.get 4 i32.add local.get 5 local.get
3 memory.copy end local.get 2 local.get 4 local.get 3 i32.add i32.store offset=44 br 1 end local.get
2 i32.const 36 i32.add i32.const 1049808 local.get 5 local.get 3 call 117 drop end local.get 2
local.get 2 i32.load offset=44 local.tee 3 i32.store offset=32 local.get 2 local.get 2 i64.load
offset=36 align=4 local.tee 6 i64.store offset=24 local.get 1 local.get 3 i32.store offset=8
local.get 1 local.get 6 i64.store align=4 end local.get 1 i32.load offset=8 local.set 3 local.get 1
i32.const 0 i32.store offset=8 local.get 1 i64.load align=4 local.set 6 local.get 1 i64.const
4294967296 i64.store align=4 local.get 2 local.get 3 i32.store offset=16 local.get 2 local.get 6
i64.store offset=8 block i32.const 12 call 66 local.tee 1 br_if 0 i32.const 4 i32.const 12 call 73
unreachable end local.get 1 local.get 2 i32.load offset=16 i32.store offset=8 local.get 1 local.get
2 i64.load offset=8 i64.store align=4 local.get 0 i32.const 1050020 i32.store offset=4 local.get 0
local.get 1 i32.store local.get 2 i32.const 48 i32.add global.set 0)
(func (type 3) (param i32 i32 i32) (local i32) global.get 0 i32.const 16 i32.sub local.tee 3
global.set 0 block local.get 2 local.get 1 i32.add local.tee 1 local.get 2 i32.ge_u br_if 0
i32.const 0 i32.const 0 call 67 unreachable end local.get 3 i32.const 4 i32.add local.get 0 i32.load
local.tee 2 local.get 0 i32.load offset=4 local.get 1 local.get 2 i32.const 1 i32.shl local.tee 2
local.get 1 local.get 2 i32.gt_u select local.tee 2 i32.const 8 local.get 2 i32.const 8 i32.gt_u
select local.tee 2 call 130 block local.get 3 i32.load offset=4 i32.const 1 i32.ne br_if 0 local.get
3 i32.load offset=8 local.get 3 i32.load offset=12 call 67 unreachable end local.get 3 i32.load
offset=8 local.set 1 local.get 0 local.get 2 i32.store local.get 0 local.get 1 i32.store offset=4
local.get 3 i32.const 16 i32.add global.set 0)
(func (type 2) (param i32 i32) (local i32 i32 i32 i32 i64) global.get 0 i32.const 32 i32.sub
local.tee 2 global.set 0 block local.get 1 i32.load i32.const -2147483648 i32.ne br_if 0 local.get 1
i32.load offset=12 local.set 3 i32.const 0 local.set 4 local.get 2 i32.const 0 i32.store offset=28
local.get 2 i64.const 4294967296 i64.store offset=20 align=4 local.get 3 i32.load local.tee 3
i32.load local.set 5 block block local.get 3 i32.load offset=4 local.tee 3 i32.const 1 i32.and
i32.eqz br_if 0 block local.get 3 i32.const 1 i32.shr_u local.tee 3 i32.eqz br_if 0 local.get 2
i32.const 20 i32.add i32.const 0 local.get 3 call 128 local.get 2 i32.load offset=28 local.set 4
local.get 3 i32.eqz br_if 0 local.get 2 i32.load offset=24 local.get 4 i32.add local.get 5 local.get
3 memory.copy end local.get 2 local.get 4 local.get 3 i32.add i32.store offset=28 br 1 end local.get
2 i32.const 20 i32.add i32.const 1049808 local.get 5 local.get 3 call 117 drop end local.get 2
local.get 2 i32.load offset=28 local.tee 3 i32.store offset=16 local.get 2 local.get 2 i64.load
offset=20 align=4 local.tee 6 i64.store offset=8 local.get 1 local.get 3 i32.store offset=8
local.get 1 local.get 6 i64.store align=4 end local.get 0 i32.const 1050020 i32.store offset=4
local.get 0 local.get 1 i32.store local.get 2 i32.const 32 i32.add global.set 0)
(func (type 5) (param i32 i32 i32 i32) (local i32) i32.const 0 local.set 4 block block local.get 3
i32.const 0 i32.ge_s br_if 0 i32.const 1 local.set 1 i32.const 4 local.set 2 br 1 end block block
local.get 1 i32.eqz br_if 0 local.get 2 local.get 1 i32.const 1 local.get 3 call 92 local.set 4 br 1
end local.get 3 call 66 local.set 4 end block block local.get 4 br_if 0 i32.const 1 local.set 1
local.get 0 i32.const 1 i32.store offset=4 br 1 end local.get 0 local.get 4 i32.store offset=4
i32.const 0 local.set 1 end i32.const 8 local.set 2 local.get 3 local.set 4 end local.get 0
local.get 2 i32.add local.get 4 i32.store local.get 0 local.get 1 i32.store)
(func (type 10) (param i32) (local i32) block local.get 0 i32.load local.tee 1 i32.eqz br_if 0
local.get 0 i32.load offset=4 local.get 1 call 60 end)
(func (type 2) (param i32 i32) local.get 0 i32.const 0 i64.load offset=1049800 align=4 i64.store
offset=8 align=4 local.get 0 i32.const 0 i64.load offset=1049792 align=4 i64.store align=4)
(func (type 0) (param i32 i32 i32) (result i32) (local i32) block block block local.get 2 local.get
0 i32.load local.get 0 i32.load offset=8 local.tee 3 i32.sub i32.le_u br_if 0 local.get 0 local.get
3 local.get 2 call 128 local.get 0 i32.load offset=8 local.set 3 br 1 end local.get 2 i32.eqz br_if
1 end local.get 2 i32.eqz br_if 0 local.get 0 i32.load offset=4 local.get 3 i32.add local.get 1
local.get 2 memory.copy end local.get 0 local.get 3 local.get 2 i32.add i32.store offset=8 i32.const
0)
(func (type 1) (param i32 i32) (result i32) (local i32 i32 i32 i32 i32 i32) local.get 0 i32.load
offset=8 local.set 2 block block local.get 1 i32.const 128 i32.ge_u br_if 0 i32.const 1 local.set 3
br 1 end block local.get 1 i32.const 2048 i32.ge_u br_if 0 i32.const 2 local.set 3 br 1 end
i32.const 3 i32.const 4 local.get 1 i32.const 65536 i32.lt_u select local.set 3 end local.get 2
local.set 4 block local.get 3 local.get 0 i32.load local.get 2 i32.sub i32.le_u br_if 0 local.get 0
local.get 2 local.get 3 call 128 local.get 0 i32.load offset=8 local.set 4 end local.get 0 i32.load
offset=4 local.get 4 i32.add local.set 4 block block local.get 1 i32.const 128 i32.lt_u br_if 0
local.get 1 i32.const 63 i32.and i32.const -128 i32.or local.set 5 local.get 1 i32.const 6 i32.shr_u
local.set 6 block local.get 1 i32.const 2048 i32.ge_u br_if 0 local.get 4 local.get 5 i32.store8
offset=1 local.get 4 local.get 6 i32.const 192 i32.or i32.store8 br 2 end local.get 1 i32.const 12
i32.shr_u local.set 7 local.get 6 i32.const 63 i32.and i32.const -128 i32.or local.set 6 block
local.get 1 i32.const 65535 i32.gt_u br_if 0 local.get 4 local.get 5 i32.store8 offset=2 local.get 4
local.get 6 i32.store8 offset=1 local.get 4 local.get 7 i32.const 224 i32.or i32.store8 br 2 end
local.get 4 local.get 5 i32.store8 offset=3 local.get 4 local.get 6 i32.store8 offset=2 local.get 4
local.get 7 i32.const 63 i32.and i32.const -128 i32.or i32.store8 offset=1 local.get 4 local.get 1
i32.const 18 i32.shr_u i32.const -16 i32.or i32.store8 br 1 end local.get 4 local.get 1 i32.store8
end local.get 0 local.get 3 local.get 2 i32.add i32.store offset=8 i32.const 0)
(func (type 0) (param i32 i32 i32) (result i32) (local i32) block local.get 2 i32.const 1 i32.and
i32.eqz br_if 0 block block block local.get 2 i32.const 1 i32.shr_u local.tee 2 local.get 0 i32.load
local.get 0 i32.load offset=8 local.tee 3 i32.sub i32.le_u br_if 0 local.get 0 local.get 3 local.get
2 call 128 local.get 0 i32.load offset=8 local.set 3 br 1 end local.get 2 i32.eqz br_if 1 end
local.get 2 i32.eqz br_if 0 local.get 0 i32.load offset=4 local.get 3 i32.add local.get 1 local.get
2 memory.copy end local.get 0 local.get 3 local.get 2 i32.add i32.store offset=8 i32.const 0 return
end local.get 0 i32.const 1049808 local.get 1 local.get 2 call 117)
(func (type 1) (param i32 i32) (result i32) local.get 1 i32.load local.get 0 i32.load local.get 0
i32.load offset=4 local.get 1 i32.load offset=4 i32.load offset=12 call_indirect (type 0))
(func (type 2) (param i32 i32) (local i32 i32) local.get 1 i32.load offset=4 local.set 2 local.get 1
i32.load local.set 3 block i32.const 8 call 66 local.tee 1 br_if 0 i32.const 4 i32.const 8 call 73
unreachable end local.get 1 local.get 2 i32.store offset=4 local.get 1 local.get 3 i32.store
local.get 0 i32.const 1050004 i32.store offset=4 local.get 0 local.get 1 i32.store)
(func (type 2) (param i32 i32) local.get 0 i32.const 1050004 i32.store offset=4 local.get 0
local.get 1 i32.store)
(func (type 2) (param i32 i32) local.get 0 local.get 1 i64.load align=4 i64.store)
(func (type 2) (param i32 i32) (local i32 i32 i32 i32) i32.const 31 local.set 2 block local.get 1
i32.const 16777216 i32.ge_u br_if 0 local.get 1 i32.const 38 local.get 1 i32.const 8 i32.shr_u
i32.clz local.tee 2 i32.sub i32.shr_u i32.const 1 i32.and local.get 2 i32.const 1 i32.shl i32.or
i32.const 62 i32.xor local.set 2 end local.get 0 i64.const 0 i64.store offset=16 align=4 local.get 0
local.get 2 i32.store offset=28 local.get 2 i32.const 2 i32.shl i32.const 1050324 i32.add local.set
3 block i32.const 0 i32.load offset=1050736 i32.const 1 local.get 2 i32.shl local.tee 4 i32.and
br_if 0 local.get 3 local.get 0 i32.store local.get 0 local.get 3 i32.store offset=24 local.get 0
local.get 0 i32.store offset=12 local.get 0 local.get 0 i32.store offset=8 i32.const 0 i32.const 0
i32.load offset=1050736 local.get 4 i32.or i32.store offset=1050736 return end block block block
local.get 3 i32.load local.tee 4 i32.load offset=4 i32.const -8 i32.and local.get 1 i32.ne br_if 0
local.get 4 local.set 2 br 1 end local.get 1 i32.const 0 i32.const 25 local.get 2 i32.const 1
i32.shr_u i32.sub local.get 2 i32.const 31 i32.eq select i32.shl local.set 3 loop local.get 4
local.get 3 i32.const 29 i32.shr_u i32.const 4 i32.and i32.add local.tee 5 i32.load offset=16
local.tee 2 i32.eqz br_if 2 local.get 3 i32.const 1 i32.shl local.set 3 local.get 2 local.set 4
local.get 2 i32.load offset=4 i32.const -8 i32.and local.get 1 i32.ne br_if 0 end end local.get 2
i32.load offset=8 local.tee 3 local.get 0 i32.store offset=12 local.get 2 local.get 0 i32.store
offset=8 local.get 0 i32.const 0 i32.store offset=24 local.get 0 local.get 2 i32.store offset=12
local.get 0 local.get 3 i32.store offset=8 return end local.get 5 i32.const 16 i32.add local.get 0
i32.store local.get 0 local.get 4 i32.store offset=24 local.get 0 local.get 0 i32.store offset=12
local.get 0 local.get 0 i32.store offset=8)
(func (type 2) (param i32 i32) local.get 0 local.get 1 call 122 unreachable)
(func (type 20) (param i32 i32 i32 i32) (result i32) block block block block local.get 1 br_if 0
local.get 3 i32.eqz br_if 2 block local.get 2 i32.const 9 i32.lt_u br_if 0 local.get 2 local.get 3
call 112 local.set 2 br 2 end local.get 3 call 66 local.set 2 br 1 end local.get 0 local.get 1
local.get 2 local.get 3 call 92 local.set 2 end local.get 2 i32.eqz br_if 1 end local.get 2 return
end unreachable)
(func (type 20) (param i32 i32 i32 i32) (result i32) local.get 0 local.get 1 local.get 2 local.get 3
call 142)
(func (type 0) (param i32 i32 i32) (result i32) (local i32 i32 i32) i32.const 0 local.set 3 block
local.get 2 i32.eqz br_if 0 block loop local.get 0 i32.load8_u local.tee 4 local.get 1 i32.load8_u
local.tee 5 i32.ne br_if 1 local.get 0 i32.const 1 i32.add local.set 0 local.get 1 i32.const 1
i32.add local.set 1 local.get 2 i32.const -1 i32.add local.tee 2 i32.eqz br_if 2 br 0 end end
local.get 4 local.get 5 i32.sub local.set 3 end local.get 3) (data (i32.const 1048576)
"\02\00\00\00\02\00\00\00\02\00\00\00\02\00\00\00\02\00\00\00\02\00\00\00\02\00\00\00\02\00\00"
"\00\02\00\00\00\02\00\00\00\02\00\00\00\02\00\00\00\02\00\00\00\02\00\00\00\02\00\00\00\02\00"
"\00\00\02\00\00\00\02\00\00\00\02\00\00\00\02\00\00\00\02\00\00\00\02\00\00\00mid > lenEurope/"
"BerlinNowhereunknownknownok.exampleother\8b\00\10\00\05\00\00\00listedexcepted1numbertextwordt"
"herecreatedthe state failsnoneipv4not-a-numberbeforelaterforbiddenimmutable\c0\00/rustc/1.96.0"
"/library/std/src/sys/sync/rwlock/no_threads.rs\00/rustc/1.96.0/library/alloc/src/str.rs\00/rus"
"tc/1.96.0/library/alloc/src/raw_vec/mod.rs\00/rustc/1.96.0/library/vendor/dlmalloc-0.2.11/src/"
"dlmalloc.rs\00\00\00?\01\10\00&\00\00\00\b1\00\00\00\16\00\00\00attempt to join into collectio"
"n with len > usize::MAX\00\00\00?\01\10\00&\00\00\00\9a\00\00\00\0a\00\00\00it is not an objec"
"thostlabelvaluecountergaugehistograma line of debuga line of infoa line of warna line of error"
"www.example.co.uk192.0.2.1sameno answeryesX-Kepta rulekept\00\00\d2\02\10\00\04\00\00\00May it"
"?text/plainhttp://other.example/other.exampleHostX-FailureX-NamesX-RemoveX-MoreX-Oldhowstatusb"
"ytessecondsX-Latecapacity overflow\00\00f\01\10\00.\00\00\00\1c\00\00\00\05\00\00\00\01\01\01"
"\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01"
"\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01"
"\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01"
"\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01\01"
"\01\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00"
"\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00\00"
"\00\00\00\00\00\02\02\02\02\02\02\02\02\02\02\02\02\02\02\02\02\02\02\02\02\02\02\02\02\02\02"
"\02\02\02\02\03\03\03\03\03\03\03\03\03\03\03\03\03\03\03\03\04\04\04\04\04\00\00\00\00\00\00"
"\00\00\00\00\00\00\00\00\00\08\00\00\00\04\00\00\00\03\00\00\00\04\00\00\00\05\00\00\00\06\00"
"\00\00\07\00\00\00\10\00\00\00\04\00\00\00\08\00\00\00\09\00\00\00\0a\00\00\00\0b\00\00\00m]"
"\cb\d6,P\ebcxA\a6Wq\1b\8b\b9j\a4Z\11\8a\c7\fb\b3\85.4\f9\d9\ef\8as\0c\00\00\00\0c\00\00\00\04"
"\00\00\00\0d\00\00\00\0e\00\00\00\0f\00\00\00assertion failed: psize >= size + min_overhead\00"
"\00\95\01\10\00<\00\00\00\b1\04\00\00\09\00\00\00assertion failed: psize <= size + max_overhea"
"d\00\00\95\01\10\00<\00\00\00\b7\04\00\00\0d\00\00\00rwlock overflowed read locks\03\01\10\00;"
"\00\00\00\15\00\00\00,\00\00\00\00\00\00\00\08\00\00\00\04\00\00\00\10\00\00\00\0c\00\00\00\0c"
"\00\00\00\04\00\00\00\11\00\00\00rwlock has not been locked for reading\00\00\03\01\10\00;\00"
"\00\00>\00\00\00\09\00\00\00\12\00\00\00\05\00\00\00\09\00\00\00\09\00\00\00\05\00\00\00\05\00"
"\00\00\8b\00\10\00\ef\00\10\00\f8\00\10\00\8b\00\10\00\8b\00\10\00") (@custom
"component-type:wit-bindgen:0.60.0:kept:filter:filter:encoded world" (after data)
"\00asm\0d\00\01\00\00\19\16wit-component-encoding\04\00\07\b9\1b\01A\02\01A1\01B\19\01w\04\00"
"\0cmilliseconds\03\00\00\01o\04}}}}\04\00\0cipv4-address\03\00\02\01o\08{{{{{{{{\04\00\0cipv6-"
"address\03\00\04\01q\02\04ipv4\01\03\00\04ipv6\01\05\00\04\00\0aip-address\03\00\06\01p}\01r"
"\02\04names\05value\08\04\00\05field\03\00\09\01q\05\0einvalid-syntax\00\00\09forbidden\00\00"
"\09immutable\00\00\0dsize-exceeded\00\00\05other\01s\00\04\00\0cheader-error\03\00\0b\01r\02"
"\06status{\06reasons\04\00\07refusal\03\00\0d\01r\02\06status{\08locations\04\00\0bredirection"
"\03\00\0f\01r\03\06status{\0ccontent-types\04body\08\04\00\04page\03\00\11\01m\02\04next\05blo"
"ck\04\00\08fallback\03\00\13\01r\03\04texts\09otherwise\14\04wait\01\04\00\08question\03\00\15"
"\01q\07\04next\00\00\05allow\00\00\05block\01\0e\00\08redirect\01\10\00\07replace\01\12\00\04d"
"rop\00\00\03ask\01\16\00\04\00\07verdict\03\00\17\03\00\1dportcullis:filter/types@1.0.0\05\00"
"\02\03\00\00\0cmilliseconds\02\03\00\00\0cheader-error\01B\0d\02\03\02\01\01\04\00\0cmilliseco"
"nds\03\00\00\02\03\02\01\02\04\00\0cheader-error\03\00\02\01@\01\04time\01\01\00\04\00\04keep"
"\01\04\01p}\01j\00\01\03\01@\02\04names\05value\05\00\06\04\00\09add-field\01\07\04\00\0bretry"
"-after\01\04\01@\01\04rules\01\00\04\00\07matched\01\08\03\00\1eportcullis:filter/answer@1.0.0"
"\05\03\02\03\00\00\0aip-address\01B\0b\02\03\02\01\04\04\00\0aip-address\03\00\00\01k\01\01@"
"\00\00\02\04\00\07address\01\03\01ks\01@\00\00\04\04\00\04user\01\05\01ps\01@\00\00\06\04\00"
"\06groups\01\07\03\00\1eportcullis:filter/client@1.0.0\05\05\01B\0a\02\03\02\01\01\04\00\0cmil"
"liseconds\03\00\00\01r\07\04year|\05month}\03day}\07weekday}\04hour}\06minute}\06second}\04\00"
"\0alocal-time\03\00\02\01@\00\00\01\04\00\03now\01\04\01ks\01j\01\03\01s\01@\01\04zone\05\00"
"\06\04\00\05local\01\07\03\00\1dportcullis:filter/clock@1.0.0\05\06\01B\03\01ks\01@\01\04hosts"
"\00\00\04\00\0bregistrable\01\01\03\00\1fportcullis:filter/domains@1.0.0\05\07\01B\0f\02\03\02"
"\01\01\04\00\0cmilliseconds\03\00\00\01@\00\00s\04\00\02id\01\02\04\00\04host\01\02\01@\00\00{"
"\04\00\04port\01\03\04\00\08protocol\01\02\04\00\08found-in\01\02\01ks\01@\00\00\04\04\00\0bse"
"rver-name\01\05\04\00\08listener\01\02\01@\00\00\01\04\00\07started\01\06\03\00 portcullis:fil"
"ter/exchange@1.0.0\05\08\01B\10\01m\02\06listed\08excepted\04\00\04kind\03\00\00\01ky\01r\05"
"\04feeds\06sources\04rules\04line\02\04kind\01\04\00\05match\03\00\03\01q\03\07unknown\01s\00"
"\0bnot-granted\01s\00\05other\01s\00\04\00\0afeed-error\03\00\05\01ps\01@\00\00\07\04\00\05nam"
"es\01\08\01k\04\01@\01\04hosts\00\09\04\00\04find\01\0a\01j\01\09\01\06\01@\02\05feeds\07\04ho"
"sts\00\0b\04\00\07find-in\01\0c\03\00\1dportcullis:filter/feeds@1.0.0\05\09\01B\04\01m\05\05tr"
"ace\05debug\04info\04warn\05error\04\00\05level\03\00\00\01@\02\05level\01\07messages\01\00\04"
"\00\05write\01\02\03\00\1bportcullis:filter/log@1.0.0\05\0a\01B\08\01r\02\04names\05values\04"
"\00\05label\03\00\00\01p\01\01@\03\04names\02byw\06labels\02\01\00\04\00\05count\01\03\01@\03"
"\04names\05valueu\06labels\02\01\00\04\00\05gauge\01\04\04\00\07observe\01\04\03\00\1fportcull"
"is:filter/metrics@1.0.0\05\0b\01B\05\01ks\01@\01\03keys\00\00\04\00\03get\01\01\01@\02\03keys"
"\05values\01\00\04\00\03set\01\02\03\00\1dportcullis:filter/notes@1.0.0\05\0c\01B\0c\02\03\02"
"\01\01\04\00\0cmilliseconds\03\00\00\01@\00\00s\04\00\03how\01\02\01k{\01@\00\00\03\04\00\06st"
"atus\01\04\01@\00\00w\04\00\11bytes-from-client\01\05\04\00\0fbytes-to-client\01\05\01@\00\00"
"\01\04\00\08duration\01\06\03\00\1fportcullis:filter/outcome@1.0.0\05\0d\01B\05\01@\00\00w\04"
"\00\06number\01\00\01p}\01@\01\05county\00\01\04\00\05bytes\01\02\03\00\1eportcullis:filter/ra"
"ndom@1.0.0\05\0e\01B\03\01@\00\00s\04\00\06method\01\00\04\00\03url\01\00\03\00\1fportcullis:f"
"ilter/request@1.0.0\05\0f\02\03\00\00\05field\01B\16\02\03\02\01\10\04\00\05field\03\00\00\02"
"\03\02\01\02\04\00\0cheader-error\03\00\02\01p}\01p\04\01@\01\04names\00\05\04\00\03get\01\06"
"\01ps\01@\00\00\07\04\00\05names\01\08\01p\01\01@\00\00\09\04\00\03all\01\0a\01j\00\01\03\01@"
"\02\04names\05value\04\00\0b\04\00\03set\01\0c\04\00\06append\01\0c\01@\01\04names\00\0b\04\00"
"\06remove\01\0d\01@\01\06fields\09\00\0b\04\00\07set-all\01\0e\03\00'portcullis:filter/request"
"-headers@1.0.0\05\11\01B\16\02\03\02\01\10\04\00\05field\03\00\00\02\03\02\01\02\04\00\0cheade"
"r-error\03\00\02\01p}\01p\04\01@\01\04names\00\05\04\00\03get\01\06\01ps\01@\00\00\07\04\00\05"
"names\01\08\01p\01\01@\00\00\09\04\00\03all\01\0a\01j\00\01\03\01@\02\04names\05value\04\00\0b"
"\04\00\03set\01\0c\04\00\06append\01\0c\01@\01\04names\00\0b\04\00\06remove\01\0d\01@\01\06fie"
"lds\09\00\0b\04\00\07set-all\01\0e\03\00(portcullis:filter/response-headers@1.0.0\05\12\01B\15"
"\02\03\02\01\01\04\00\0cmilliseconds\03\00\00\01q\05\04full\00\00\09too-large\00\00\0cnot-a-nu"
"mber\00\00\0bunavailable\01s\00\05other\01s\00\04\00\0bstate-error\03\00\02\01p}\01k\04\01j\01"
"\05\01\03\01@\01\03keys\00\06\04\00\03get\01\07\01k\01\01j\00\01\03\01@\03\03keys\05value\04"
"\03ttl\08\00\09\04\00\03set\01\0a\01@\01\03keys\00\09\04\00\06remove\01\0b\01j\01x\01\03\01@"
"\03\03keys\02byx\03ttl\08\00\0c\04\00\09increment\01\0d\01j\01\7f\01\03\01@\04\03keys\08expect"
"ed\05\03new\05\03ttl\08\00\0e\04\00\0fcompare-and-set\01\0f\03\00\1dportcullis:filter/state@1."
"0.0\05\13\01B\03\01j\00\01s\01@\01\06configs\00\00\04\00\04init\01\01\04\00!portcullis:filter/"
"lifecycle@1.0.0\05\14\02\03\00\00\07verdict\01B\05\02\03\02\01\15\04\00\07verdict\03\00\00\01j"
"\01\01\01s\01@\02\04hosts\04port{\00\02\04\00\05judge\01\03\04\00\22portcullis:filter/judge-ho"
"st@1.0.0\05\16\01B\05\02\03\02\01\15\04\00\07verdict\03\00\00\01j\01\01\01s\01@\02\06methods"
"\03urls\00\02\04\00\05judge\01\03\04\00%portcullis:filter/judge-request@1.0.0\05\17\01B\05\02"
"\03\02\01\15\04\00\07verdict\03\00\00\01j\01\01\01s\01@\01\06status{\00\02\04\00\05judge\01\03"
"\04\00&portcullis:filter/judge-response@1.0.0\05\18\01B\03\01j\00\01s\01@\00\00\00\04\00\05end"
"ed\01\01\04\00&portcullis:filter/exchange-ended@1.0.0\05\19\01B\06\02\03\02\01\01\04\00\0cmill"
"iseconds\03\00\00\01k\01\01j\01\02\01s\01@\00\00\03\04\00\04tick\01\04\04\00\1cportcullis:filt"
"er/tick@1.0.0\05\1a\04\00\12kept:filter/filter\04\00\0b\0c\01\00\06filter\03\00\00\00G\09produ"
"cers\01\0cprocessed-by\02\0dwit-component\070.254.2\10wit-bindgen-rust\060.60.0"))
