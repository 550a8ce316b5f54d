//! What Wasmtime makes of the interfaces of wasi:http.

#![allow(missing_docs, unreachable_pub, unused_qualifications, clippy::all, reason = "generated")]

wasmtime::component::bindgen!({
    path: "wit",
    world: "wasi:http/host",
    imports: { default: trappable },
    require_store_data_send: true,
    with: {
        "wasi:clocks": wasmtime_wasi::p2::bindings::clocks,
        "wasi:io": wasmtime_wasi::p2::bindings::io,
        "wasi:http/types.fields": crate::wasi::http::fields::Fields,
        "wasi:http/types.incoming-request": crate::wasi::http::message::IncomingRequest,
        "wasi:http/types.outgoing-request": crate::wasi::http::message::OutgoingRequest,
        "wasi:http/types.request-options": crate::wasi::http::message::RequestOptions,
        "wasi:http/types.response-outparam": crate::wasi::http::message::ResponseOutparam,
        "wasi:http/types.incoming-response": crate::wasi::http::message::IncomingResponse,
        "wasi:http/types.incoming-body": crate::wasi::http::incoming::IncomingBody,
        "wasi:http/types.future-trailers": crate::wasi::http::incoming::FutureTrailers,
        "wasi:http/types.outgoing-response": crate::wasi::http::message::OutgoingResponse,
        "wasi:http/types.outgoing-body": crate::wasi::http::outgoing::OutgoingBody,
        "wasi:http/types.future-incoming-response": crate::wasi::http::message::FutureResponse,
    },
});

pub(crate) use self::wasi::http::{outgoing_handler, types};
