    // What a hit of each kind may see, as the ABI says it: 4 * (its layer is the inner one) + its scope. A record has what the widest of
    // its hits may see.
    localparam bit [20:0] DEEP = 21'h1e2fcc; // the slots of lookups whose layer is Inner or Innermost
    logic [8*16-1:0] allowed;
    logic [7:0] wanted;
    logic [7:0] l3_offset, l3_end, l4_end;
    logic [15:0] widest, widest_2, widest_3, widest_4, widest_5, limit;
    logic content_2, content_3, content_4, content_5;
    logic there_2 = 0, there_3 = 0, there_4 = 0, there_5 = 0;
    logic many_5;
    logic [$bits(due)-1:0] due_of_2, due_of_3, due_of_4, due_of_5;
    always_comb begin
        for (int deep = 0; deep < 2; deep++) begin
            {l4_end, l3_end, l3_offset} = (deep != 0 || due__own_tunnel) && due__headers__inner__l3_offset != 0
                ? due__headers__inner[23:0] : due__headers__outer[23:0];
            for (int scope = 0; scope < 4; scope++) begin
                limit = scope == 2 ? due__original : l3_offset == 0 ? 14 : scope == 1 ? l4_end : l3_end;
                allowed[(deep*4 + scope)*16 +: 16] = limit > due__original ? due__original : limit;
            end
        end
        wanted = 0;
        for (int i = 0; i < 21; i++)
            for (int scope = 0; scope < 4; scope++)
                if (selected[i] && hits[i*23 + 18 +: 2] == scope) wanted[DEEP[i]*4 + scope] = 1;
        widest = 0;
        for (int i = 0; i < 8; i++)
            if (wanted[i] && allowed[i*16 +: 16] > widest) widest = allowed[i*16 +: 16];
        // What the parser says of layers: one that does not exist is all zeros, and they end one behind the other.
        assume (due__headers__outer__l3_offset != 0 || due__headers__outer__l4_end == 0);
        assume (due__headers__inner__l3_offset != 0 || due__headers__inner__l4_end == 0);
        assume (due__headers__outer__l4_end >= due__headers__outer__l3_end);
        assume (due__headers__inner__l4_end >= due__headers__inner__l3_end);
        assume (due__original <= 9664);
    end
    always_ff @(posedge clock) begin
        {there_5, there_4, there_3, there_2} <= reset ? 4'h0 : {there_4, there_3, there_2, valid};
        {widest_5, widest_4, widest_3, widest_2} <= {widest_4, widest_3, widest_2, widest};
        {content_5, content_4, content_3, content_2} <= {content_4, content_3, content_2, wanted[2] || wanted[6]};
        {due_of_5, due_of_4, due_of_3, due_of_2} <= {due_of_4, due_of_3, due_of_2, due};
        many_5 <= many;
    end
    always_comb begin
        order__one: assert (out_valid == there_5);
        if (there_5) begin
            cut__bytes: assert (sized__captured == widest_5);
            if (!content_5) cut__headers_only: assert (sized__captured <= 255 && sized__captured <= sized__due__original);
            cut__lines: assert (sized__lines * 64 >= sized__captured && sized__lines * 64 < sized__captured + 64);
            cut__room: assert (sized__room == sized__lines + 1 + many_5 && sized__room <= 257);
            cut__around: assert (sized__rest == sized__room - 1 && sized__room_with_gap == sized__room + 1);
            order__record: assert (sized__due == due_of_5);
        end

        headers_only: cover (there_5 && !content_5 && sized__captured == 54 && sized__due__original == 1514);
        content: cover (there_5 && content_5 && sized__captured == 1514);
        short: cover (there_5 && !content_5 && sized__captured == 60 && sized__captured == sized__due__original);
    end
